"""Makes the library's stores from a URL: a folder, or S3 with a client for each kind of request.

One time limit can't serve all requests. A listing that takes half a minute has failed. A part of an upload
that takes as long over a slow link has not. So S3 gets several clients, which differ in their limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import obstore.exceptions
from obstore.store import LocalStore, S3Store, from_url

from chassis.errors import InvalidInputError
from chassis.store.settings import StoreSettings, load_store_settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

CONNECT_TIMEOUT_S = 5.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True)
class OpenedStore:
    """The library's stores behind one URL, and what is known of them."""

    settings: StoreSettings
    local_root: Path | None
    """The folder, where it is one."""
    objects: Any
    """For requests of few bytes."""
    batches: Any
    """For removing many objects with one request. Not every server that speaks S3 can."""
    reads: Any
    """For bodies that are read."""
    writes: Any
    """For bodies that are written."""
    signing: Any | None
    """Signs addresses for clients. None where it can't be done."""
    signed_origin: str | None = None
    """Scheme and host of these addresses."""


def open_store(url: str, settings: StoreSettings | None = None) -> OpenedStore:
    """Open a store. Nothing is asked of a server yet.

    Args:
        url: `file:///…`, `s3://bucket/prefix`, or what else the library takes.
        settings: For S3. None: those of the environment.

    Raises:
        InvalidInputError: The URL or a setting is wrong (`STORE_URL_INVALID`, `STORE_SETTINGS_INVALID`).
    """
    scheme = urlparse(url).scheme
    if scheme == "file":
        return _folder(url)
    if scheme == "s3":
        return _s3(url, settings or load_store_settings())
    if scheme in ("gs", "az"):
        objects = from_url(url)
        return OpenedStore(StoreSettings(), None, objects, objects, objects, objects, objects)
    raise InvalidInputError(
        f"'{scheme}' is not a kind of store. Use file:///… or s3://….", reason="STORE_URL_INVALID"
    )


def _folder(url: str) -> OpenedStore:
    root = Path(unquote(urlparse(url).path))
    root.mkdir(parents=True, exist_ok=True)
    root = root.resolve()
    objects = LocalStore(str(root), automatic_cleanup=True)
    return OpenedStore(StoreSettings(), root, objects, objects, objects, objects, None)


def _s3(url: str, settings: StoreSettings) -> OpenedStore:
    transfer_s, request_s = settings.transfer_timeout_s, settings.request_timeout_s
    try:
        return OpenedStore(
            settings,
            None,
            objects=_client(url, settings, request_s),
            batches=_client(url, settings, request_s, batches=True),
            reads=_client(url, settings, transfer_s, read_timeout_s=settings.read_timeout_s),
            # Silence while a part is sent is no sign of a fault: only the whole time counts.
            writes=_client(url, settings, transfer_s),
            signing=_client(url, settings, request_s, public=True),
            signed_origin=_signed_origin(url, settings),
        )
    except (obstore.exceptions.BaseError, ValueError, OSError):
        raise InvalidInputError(
            "The settings of the media store can't be used. Check the bucket, the endpoint and the CA file."
            " An endpoint with http:// needs STORE_ALLOW_HTTP=true.",
            reason="STORE_SETTINGS_INVALID",
        ) from None


def _signed_origin(url: str, settings: StoreSettings) -> str:
    if endpoint := settings.public_endpoint_url or settings.endpoint_url:
        parts = urlparse(endpoint)
        return f"{parts.scheme}://{parts.netloc}"
    bucket = "" if settings.path_style else f"{urlparse(url).netloc}."
    return f"https://{bucket}s3.{settings.region}.amazonaws.com"


def _client(
    url: str,
    settings: StoreSettings,
    timeout_s: float,
    *,
    read_timeout_s: float | None = None,
    batches: bool = False,
    public: bool = False,
) -> Any:
    config: S3Config = {
        "region": settings.region,
        "virtual_hosted_style_request": not settings.path_style,
        "disable_bulk_delete": not batches,
    }
    endpoint = (settings.public_endpoint_url if public else None) or settings.endpoint_url
    if endpoint:
        config["endpoint"] = endpoint
    if settings.access_key_id and settings.secret_access_key:
        config["access_key_id"] = settings.access_key_id
        config["secret_access_key"] = settings.secret_access_key.get_secret_value()
    if settings.session_token:
        config["session_token"] = settings.session_token.get_secret_value()
    options: ClientConfig = {
        "allow_http": settings.allow_http,
        "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
        "timeout": timedelta(seconds=timeout_s),
    }
    if read_timeout_s is not None:
        options["read_timeout"] = timedelta(seconds=read_timeout_s)
    if settings.ca_file is not None:
        options["root_certificate"] = settings.ca_file.read_bytes()
    return S3Store.from_url(
        url, config=config, client_options=options, retry_config=_retries(settings, timeout_s)
    )


def _retries(settings: StoreSettings, timeout_s: float) -> Any:
    # The pauses are spread at random by the library.
    return {
        "max_retries": settings.retry_count,
        "retry_timeout": timedelta(seconds=2 * timeout_s + LONGEST_PAUSE_S),
        "backoff": {
            "init_backoff": timedelta(seconds=FIRST_PAUSE_S),
            "max_backoff": timedelta(seconds=LONGEST_PAUSE_S),
            "base": 2,
        },
    }
