"""The gateway's settings: `GATEWAY_<FIELD>`. Sizes in bytes, times in seconds."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import limits
import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.limits import MAX_ANSWER_COUNT, MAX_MEDIA_BYTES
from chassis.settings import ProcessSettings

Scope = Literal["submit", "read", "manage"]
"""`submit` uploads. `read` sees states, results and media. `manage` cancels, retries and deletes."""

MEGABYTE = 1_000_000
MIN_SECRET_CHARACTERS = 32


def _default_store_url() -> str:
    # Where the orchestrator looks by default as well.
    return (Path(platformdirs.user_data_dir("interview-assessment")) / "store").as_uri()


class ApiKey(BaseModel):
    """One client's key: only its SHA-256 is known here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    scopes: tuple[Scope, ...] = ("submit", "read", "manage")
    expires: datetime | None = None
    """With a time zone. None: never."""

    @field_validator("expires")
    @classmethod
    def _has_time_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("needs a time zone, such as 2027-01-31T00:00:00Z")
        return value


class GatewaySettings(ProcessSettings):
    """What the gateway can be told."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="GATEWAY_")

    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)
    orchestrator_address: str = "127.0.0.1:50056"
    orchestrator_timeout_s: float = Field(10.0, gt=0)
    store_url: str = Field(default_factory=_default_store_url)
    """The media store that orchestrator and stages share: `file:///…` or `s3://…`."""
    spool_dir: Path | None = None
    """Folder for recordings while they arrive. None: the system's."""
    cors_origins: tuple[str, ...] = ("http://127.0.0.1:5500", "http://localhost:5500")
    """Pages elsewhere that may call. The default is where the original's web client runs."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that browsers may call us by. None: only this machine's own while listening on loopback
    without keys (a foreign name that points at 127.0.0.1 would get past the browser), else any."""
    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose X-Forwarded-For is believed."""

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
    max_concurrent_uploads: int = Field(4, ge=1)
    """Bounds the disk that uploads can fill at once."""
    max_uploads_per_client: int = Field(2, ge=1)
    """Uploads of one client at once, so that slow ones leave places for others."""
    session_id_secret: SecretStr = SecretStr("")
    """Makes the session ids of uploads with an Idempotency-Key, the same on all replicas. Empty: a random one
    that the store keeps."""
    rate_limit_uploads: str = "10/hour"
    """Uploads a client, as `limits` writes it. Empty: no limit."""
    languages: tuple[str, ...] = ()
    """Languages that uploads are restricted to (BCP-47). None: those of the transcriber's loaded model."""

    api_keys: tuple[ApiKey, ...] = ()
    """None: no key is asked for, which is allowed on loopback only."""
    allow_anonymous: bool = False
    """Serve a public address without keys. For a network that is closed by other means."""

    @property
    def max_total_bytes(self) -> int:
        """Largest body of one upload: every file at its limit, and the fields."""
        return (
            self.max_file_count * self.max_file_bytes + self.max_field_count * self.max_field_bytes + MEGABYTE
        )

    @property
    def effective_hosts(self) -> tuple[str, ...]:
        """The names that we are called by. None where any name will do."""
        if not self.allowed_hosts and not self.api_keys and _loopback(self.host):
            return ("localhost", "127.0.0.1", "[::1]", self.host)
        return self.allowed_hosts

    @field_validator("session_id_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET_CHARACTERS:
            raise ValueError(f"needs at least {MIN_SECRET_CHARACTERS} characters")
        return value

    @field_validator("rate_limit_uploads")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        if value:
            limits.parse(value)
        return value

    @model_validator(mode="after")
    def _public_needs_keys(self) -> Self:
        if not self.api_keys and not self.allow_anonymous and not _loopback(self.host):
            raise ValueError(
                "GATEWAY_HOST is a public address. Set GATEWAY_API_KEYS, or GATEWAY_ALLOW_ANONYMOUS=true"
                " if the network is closed by other means"
            )
        return self


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
