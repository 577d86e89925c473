"""The gateway's settings: `GATEWAY_<FIELD>`. Sizes in bytes, times in seconds."""

from __future__ import annotations

import ipaddress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal, Self

import limits
import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.api_keys import Digest, Name, Scope, Time
from chassis.limits import MAX_ANSWER_COUNT, MAX_GROUP_CHARACTERS, MAX_MEDIA_BYTES
from gateway.people.settings import PeopleSettings

MEGABYTE = 1_000_000
MIN_SECRET_CHARACTERS = 32


def _default_store_url() -> str:
    # Where the orchestrator looks by default as well.
    return (Path(platformdirs.user_data_dir("interview-assessment")) / "store").as_uri()


class ApiKey(BaseModel):
    """One client's key: only its SHA-256 is known here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    sha256: Digest
    group: str = Field("", max_length=MAX_GROUP_CHARACTERS)
    """Whose sessions it sees, next to other keys of the group. Empty: the key's own name."""
    scopes: tuple[Scope, ...] = ("submit", "read", "manage")
    expires: Time | None = None
    """With a time zone. None: never."""

    @property
    def owner_group(self) -> str:
        """The group that owns what is made with the key."""
        return self.group or self.name


class GatewaySettings(PeopleSettings):
    """What the gateway can be told."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="GATEWAY_")
    names_of_others: ClassVar[frozenset[str]] = frozenset({"GATEWAY_PUBLISHED_PORT"})
    """`docker-compose.yml` reads it."""

    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)
    orchestrator_address: str = "127.0.0.1:50056"
    orchestrator_timeout_s: float = Field(10.0, gt=0)
    store_url: str = Field(default_factory=_default_store_url)
    """The media store that orchestrator and stages share: `file:///…` or `s3://…`."""
    media_delivery: Literal["proxy", "redirect"] = "proxy"
    """How a player gets a recording: through us, or from S3 at a signed address that we send it to. A folder
    is always served through us."""
    media_url_expires_s: float = Field(300.0, ge=1, le=86_400)
    """How long a signed address works."""
    spool_dir: Path | None = None
    """Folder for recordings while they arrive. None: the system's."""
    cors_origins: tuple[str, ...] = ("http://127.0.0.1:5500", "http://localhost:5500")
    """Pages elsewhere that may call. The default is where the original's web client runs."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that browsers may call us by, next to `localhost` and every IP address. `*` for any. None: no
    other name while there are no keys, whatever we listen on (a page elsewhere could give itself our
    address), else any."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. The client
    is the last address in it that is not one of them."""
    forwarded_allow_ips: str = ""
    """The earlier name of `trusted_proxies`: addresses with commas between them."""

    max_file_bytes: int = Field(100 * MEGABYTE, ge=1, le=MAX_MEDIA_BYTES)
    """No setting raises it above what the stages take."""
    max_file_count: int = Field(5, ge=1, le=MAX_ANSWER_COUNT)
    max_field_bytes: int = Field(16_384, ge=1)
    max_field_count: int = Field(64, ge=1)
    head_timeout_s: float = Field(20.0, gt=0)
    """Time for the line and the headers of a request."""
    upload_idle_timeout_s: float = Field(30.0, gt=0)
    """Longest silence in the middle of a body."""
    upload_min_bytes_per_s: float = Field(8_000.0, ge=0)
    """Least mean rate of a body over each `upload_window_s`. A telephone on a poor line sends 30,000."""
    upload_window_s: float = Field(30.0, gt=0)
    upload_timeout_s: float = Field(3600.0, gt=0)
    """Longest time that one body may take. Only waiting for the client counts."""
    early_count: int = Field(2, ge=0, le=64)
    """Recordings at once that are copied into the store while they arrive, so that work on them can begin. 0
    switches it off."""
    early_after_s: float = Field(3.0, ge=0)
    """How long a recording arrives before that begins. A faster upload gains nothing, and is written once."""
    max_concurrent_uploads: int = Field(4, ge=1)
    """Bounds the disk that uploads can fill at once."""
    max_uploads_per_client: int = Field(2, ge=1)
    """Uploads of one client at once, so that slow ones leave places for others."""
    max_streams: int = Field(1000, ge=1)
    """Event streams and WebSockets at once."""
    max_streams_per_client: int = Field(100, ge=1)
    """Those of one key, or of one address without keys."""
    session_id_secret: SecretStr = SecretStr("")
    """Makes the session ids of uploads with an Idempotency-Key, the same on all replicas. Empty: a random one
    that the store keeps."""
    rate_limit_uploads: str = "10/hour"
    """Accepted uploads a client, as `limits` writes it. Empty: no limit. A key's own limit goes first."""
    rate_limit_bytes: str = ""
    """Bytes of accepted recordings a client, such as `5000000000/day`. Empty: no limit."""
    rate_limit_wrong_keys: str = "20/minute"
    """Wrong keys an address, and as many sign-ins that fail. More are refused, and so is what follows them.
    Empty: no limit."""
    rate_limit_storage: SecretStr = SecretStr("")
    """Where it is counted: `redis://…` counts for all replicas together. Empty: each one by itself."""
    languages: tuple[str, ...] = ()
    """Languages that uploads are restricted to (BCP-47). None: those of the transcriber's loaded model."""

    api_keys: tuple[ApiKey, ...] = ()
    """None, and no file of keys: no key is asked for, which is allowed on loopback only."""
    keys_file: Path | None = None
    """File of keys that `interview keys` makes. It is read again when it changes."""
    keys_reload_s: float = Field(1.0, ge=0, le=60)
    """How often the file is looked at. A revoked key is refused after this time at the latest."""
    cookie_secrets: tuple[SecretStr, ...] = ()
    """Sign the cookie of a browser that signed in: the first one signs, all of them check. Every replica
    needs the same. None: a random one of this process, so a restart ends the cookies."""
    cookie_lifetime_s: int = Field(1800, ge=60, le=86_400)
    """How long a browser reads without showing its key again. The page shows it every few minutes."""
    hsts_max_age_s: int = Field(0, ge=0)
    """How long a browser that came over https stays there, for every port of the host name
    (Strict-Transport-Security). 0: it is not told to. A browser can't be made to forget it."""
    heir_group: str = Field("", max_length=MAX_GROUP_CHARACTERS)
    """The group whose keys also see sessions that were made without keys. Empty: only `admin` keys do."""
    original_page_dir: Path | None = None
    """Folder of the original's web client, served at `/original/`. None: it is not served. Whoever reaches
    it may submit."""
    original_page_key: str = ""
    """Name of the key that its visitors act for. It never leaves us."""
    original_page_lifetime_s: int = Field(3600, ge=60, le=86_400)
    """How long a visitor may submit and look at what was submitted. Each visit and upload begins it anew."""
    allow_anonymous: bool = False
    """Serve a public address without keys. For a network that is closed by other means."""

    @property
    def max_total_bytes(self) -> int:
        """Largest body of one upload: every file at its limit, and the fields."""
        return (
            self.max_file_count * self.max_file_bytes + self.max_field_count * self.max_field_bytes + MEGABYTE
        )

    @property
    def has_keys(self) -> bool:
        """Whether a key, or a person's sign-in, is asked for."""
        return bool(self.api_keys) or self.keys_file is not None or self.people_sign_in

    @property
    def effective_hosts(self) -> tuple[str, ...]:
        """The names that we are called by, next to `localhost` and IP addresses. `*` for any."""
        if self.allowed_hosts:
            return self.allowed_hosts
        # The original's page lets in whoever reaches it. A page elsewhere must not, by a name of its own.
        return ("*",) if self.has_keys and self.original_page_dir is None else (self.host,)

    @property
    def proxies(self) -> tuple[str, ...]:
        """The proxies that are believed."""
        earlier = (item.strip() for item in self.forwarded_allow_ips.split(","))
        return (*self.trusted_proxies, *filter(None, earlier))

    @field_validator("session_id_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise ValueError(f"needs at least {MIN_SECRET_CHARACTERS} characters")
        return value

    @field_validator("keys_file")
    @classmethod
    def _is_a_file(cls, value: Path | None) -> Path | None:
        if value is not None and (not value.name or value.is_dir()):  # An empty variable is the folder `.`.
            raise ValueError("names no file. Name the one of `interview keys`, or leave the variable out")
        return value

    @model_validator(mode="after")
    def _page_has_a_key(self) -> Self:
        if (self.original_page_dir is None) != (not self.original_page_key):
            raise ValueError("GATEWAY_ORIGINAL_PAGE_DIR and GATEWAY_ORIGINAL_PAGE_KEY need each other")
        if self.original_page_dir is not None and not (self.api_keys or self.keys_file):
            raise ValueError("GATEWAY_ORIGINAL_PAGE_KEY needs keys: GATEWAY_KEYS_FILE or GATEWAY_API_KEYS")
        if self.original_page_dir is not None and not self.original_page_dir.is_dir():
            raise ValueError("GATEWAY_ORIGINAL_PAGE_DIR is no folder")
        return self

    @field_validator("rate_limit_uploads", "rate_limit_bytes", "rate_limit_wrong_keys")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        if value:
            limits.parse(value)
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _can_be_opened(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("redis://", "rediss://")):
            raise ValueError("is redis://host:port, rediss://host:port, or empty")
        if url and find_spec("redis") is None:
            raise ValueError("needs the package `redis`: install it, or leave the setting empty")
        return value

    @model_validator(mode="after")
    def _proxies_are_named(self) -> Self:
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError(
                    "GATEWAY_TRUSTED_PROXIES names addresses or networks, such as 10.0.0.0/8. To believe"
                    " everybody would let each client choose its own address"
                ) from None
        return self

    @model_validator(mode="after")
    def _public_needs_keys(self) -> Self:
        if not self.has_keys and not self.allow_anonymous and not _loopback(self.host):
            raise ValueError(
                "GATEWAY_HOST is a public address. Set GATEWAY_KEYS_FILE or GATEWAY_API_KEYS, or"
                " GATEWAY_ALLOW_ANONYMOUS=true if the network is closed by other means"
            )
        return self

    @field_validator("cookie_secrets")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(secret.get_secret_value()) < MIN_SECRET_CHARACTERS for secret in value):
            raise ValueError(
                f"each needs {MIN_SECRET_CHARACTERS} characters or more, such as of `openssl rand -hex 32`"
            )
        return value


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
