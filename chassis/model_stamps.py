"""What was read and found right is not read again: weights have gigabytes, and every start looks at them.

Beside a file of a model stand up to two small ones. `NAME.sha256` holds the digest that the first fetch saw,
where the catalogue pins none. `NAME.stamp` says that the file with this size and this time of change had this
digest. A file that was written since has another time and is read again. One that decays on its disk has not:
`interview models list --recheck` reads everything.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

HASH_BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def recorded_digest_path(path: Path) -> Path:
    """Where `fetch` records the digest of a file that upstream pins none for."""
    return path.with_name(path.name + ".sha256")


def recorded_digest(path: Path) -> str:
    """Return the digest that the first fetch recorded. Empty where there is no record."""
    record = recorded_digest_path(path)
    return record.read_text(encoding="ascii").strip() if record.exists() else ""


def has_digest(path: Path, sha256: str, *, recheck: bool = False) -> bool:
    """Tell whether a file has a digest. Reads it only where no stamp of it says so.

    Args:
        path: The file, which exists.
        sha256: Lower-case hex.
        recheck: Read it in any case.
    """
    if not recheck and _stamp(path, sha256) == _kept_stamp(path):
        return True
    stamp = _stamp(path, sha256)  # Of before the file is read: what is written meanwhile is seen next time.
    if sha256_of(path) != sha256:
        return False
    with suppress(OSError):  # A volume that is mounted to be read only. Then the next start reads again.
        _stamp_path(path).write_text(stamp, encoding="ascii")
    return True


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".stamp")


def _stamp(path: Path, sha256: str) -> str:
    status = path.stat()
    return f"{sha256} {status.st_size} {status.st_mtime_ns}\n"


def _kept_stamp(path: Path) -> str:
    try:
        return _stamp_path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
