"""How an S3 store is reached. All processes of a system are told the same.

The variables are `STORE_<FIELD>`. Credentials, region and endpoint also have the names that every S3 client
knows (`AWS_…`). Each may be a file of the secrets folder instead (`INTERVIEW_SECRETS_DIR`).
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.errors import InvalidInputError
from chassis.setting_names import refusals, unknown_names, with_secret_files

MEBIBYTE = 1 << 20
MIN_PART_BYTES = 5 * MEBIBYTE
"""S3 refuses smaller parts, the last one excepted."""


class StoreSettings(BaseSettings):
    """What an S3 store can be told. A folder needs none of it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_prefix="STORE_", env_ignore_empty=True, populate_by_name=True
    )

    endpoint_url: str | None = Field(
        None, validation_alias=AliasChoices("STORE_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    )
    """Where the store listens, such as `https://minio.internal:9000`. None: AWS itself."""
    public_endpoint_url: str | None = None
    """Where clients reach the same store, for signed addresses. None: as `endpoint_url`."""
    region: str = Field(
        "us-east-1", validation_alias=AliasChoices("STORE_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
    )
    access_key_id: str | None = Field(
        None, validation_alias=AliasChoices("STORE_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID")
    )
    """None: the machine's role is asked (web identity, container or instance)."""
    secret_access_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("STORE_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY")
    )
    session_token: SecretStr | None = Field(
        None, validation_alias=AliasChoices("STORE_SESSION_TOKEN", "AWS_SESSION_TOKEN")
    )
    path_style: bool = True
    """The bucket stands in the path. False: in the host name, which the endpoint then has to hold too."""
    allow_http: bool = False
    """Take an endpoint without TLS. For a network that is closed by other means."""
    ca_file: Path | None = None
    """PEM file of a certificate authority that is trusted beside the system's."""

    part_bytes: int = Field(8 * MEBIBYTE, ge=MIN_PART_BYTES, le=512 * MEBIBYTE)
    """Size of one part of a large upload. Each upload holds two or three in memory, and sends one."""
    put_count: int = Field(4, ge=1, le=256)
    """Uploads of one process at once. More of them wait."""
    least_bytes_per_s: int = Field(256 * 1024, ge=1)
    """The slowest link that still is one. A part gets the time that it needs when all uploads share it."""
    request_timeout_s: float = Field(30.0, gt=0)
    """Time for a request of few bytes, such as a listing."""
    read_timeout_s: float = Field(20.0, gt=0)
    """Longest silence in the middle of an answer."""
    retry_count: int = Field(4, ge=0, le=20)
    """Repeats of one request, with pauses that double and are spread at random."""

    @property
    def transfer_timeout_s(self) -> float:
        """Time for one part or one read block: all that may be on the way at the least rate."""
        return max(self.request_timeout_s, self.part_bytes * self.put_count / self.least_bytes_per_s)


def load_store_settings() -> StoreSettings:
    """Read the settings from the environment and the secrets folder.

    Raises:
        InvalidInputError: Some are wrong, or a variable looks like one and is none
            (`STORE_SETTINGS_INVALID`). The message names them and no value.
    """
    secrets_dir = os.environ.get("INTERVIEW_SECRETS_DIR") or None
    if misspelt := refusals(unknown_names(StoreSettings, with_secret_files(os.environ, secrets_dir))):
        raise _invalid(" ".join(misspelt))
    try:
        return StoreSettings(_secrets_dir=secrets_dir)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        listed = "; ".join(f"{_variable(item['loc'])}: {item['msg']}" for item in problems)
        raise _invalid(f"{listed}.") from None


def _invalid(what: str) -> InvalidInputError:
    return InvalidInputError(
        f"Correct the settings of the media store. {what}", reason="STORE_SETTINGS_INVALID"
    )


def _variable(location: tuple[int | str, ...]) -> str:
    name = "_".join(str(part) for part in location).upper()
    # A field with several names is located by the one that was used.
    return name if name.startswith(("STORE_", "AWS_")) else f"STORE_{name}"
