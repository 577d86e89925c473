"""How people sign in: a part of the gateway's settings."""

from __future__ import annotations

import ipaddress
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from chassis.api_keys import Scope
from chassis.limits import MAX_GROUP_CHARACTERS
from chassis.settings import ProcessSettings

MAX_CLAIM_CHARACTERS = 200
MAX_GROUP_COUNT = 50
"""Of the provider. A cookie names those that a person is in, and has to stay small."""


class ProviderGroup(BaseModel):
    """What the people of one of the provider's groups may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str = Field(min_length=1, max_length=MAX_CLAIM_CHARACTERS)
    """The group's name as the provider says it."""
    scopes: tuple[Scope, ...] = Field(min_length=1)
    group: str = Field("", max_length=MAX_GROUP_CHARACTERS)
    """Whose sessions they see, and who owns what they submit. Empty: the group's own name."""

    @property
    def owner_group(self) -> str:
        """The group that owns what is made by its people."""
        return self.group or self.claim[:MAX_GROUP_CHARACTERS]


class PeopleSettings(ProcessSettings):
    """Signing in by OpenID Connect, off while there is no issuer."""

    public_url: str = ""
    """How browsers reach us, such as `https://interviews.example.com`. Needed for signing in."""
    oidc_issuer: str = ""
    """The OpenID provider, as it names itself. Empty: nobody signs in. It may be in a private network."""
    oidc_client_id: str = Field("", max_length=500)
    """How the provider knows us. Its redirect address for us is `<public_url>/signin/callback`."""
    oidc_client_secret: SecretStr = SecretStr("")
    """Empty: a public client, which proves itself by PKCE alone."""
    oidc_scopes: tuple[str, ...] = ("openid", "profile")
    """What the provider is asked for. Some tell groups only with one more."""
    oidc_groups_claim: str = Field("groups", min_length=1, max_length=MAX_CLAIM_CHARACTERS)
    """The claim of the ID token that lists a person's groups. Dots lead into it: `realm_access.roles`."""
    oidc_groups: tuple[ProviderGroup, ...] = Field((), max_length=MAX_GROUP_COUNT)
    """Which of the provider's groups are let in, and what for. The first one that may submit owns what a
    person submits."""
    oidc_timeout_s: float = Field(10.0, gt=0, le=60)
    """Time for one question to the provider."""
    sign_in_lifetime_s: int = Field(14_400, ge=300, le=86_400)
    """How long somebody stays signed in. What the provider takes from a person counts after it at the
    latest."""

    @property
    def people_sign_in(self) -> bool:
        """Whether people can sign in."""
        return bool(self.oidc_issuer)

    @field_validator("oidc_issuer", "public_url")
    @classmethod
    def _is_secure(cls, value: str) -> str:
        if value and not secure_address(value):
            raise ValueError("is an https address. Plain http is for this machine alone (localhost)")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        value = value.removesuffix("/")
        parts = urlsplit(value.lower())
        if value.lower() != (f"{parts.scheme}://{parts.netloc}" if value else ""):
            raise ValueError("has no path: the gateway is served at the root of its host name")
        # As browsers write an origin.
        return value.lower().removesuffix(":443" if parts.scheme == "https" else ":80")

    @field_validator("oidc_scopes")
    @classmethod
    def _asks_who(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError('needs "openid"')
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.public_url and self.oidc_groups):
            raise ValueError(
                "GATEWAY_OIDC_ISSUER needs GATEWAY_OIDC_CLIENT_ID, GATEWAY_PUBLIC_URL and GATEWAY_OIDC_GROUPS"
                " as well"
            )
        return self


def secure_address(address: str) -> bool:
    """Tell whether an address is one of https, or of plain HTTP on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
