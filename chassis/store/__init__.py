"""The media store: recordings, extracted sound, stage outputs and results under one URL.

`media_store` is what callers see. `opening` makes the library's stores from a URL and `settings`. `writing`,
`reading` and `removing` move bytes. `failures` turns what goes wrong into our errors. `parts` removes what
killed writers left. `arriving` is a recording that is read while it is still written.
"""

from chassis.store.failures import URI_FORBIDDEN
from chassis.store.media_store import MediaStore, StoredObject
from chassis.store.parts import sweeping_parts
from chassis.store.settings import StoreSettings

__all__ = ["URI_FORBIDDEN", "MediaStore", "StoreSettings", "StoredObject", "sweeping_parts"]
