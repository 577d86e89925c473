"""Checks an ID token: who made it, for whom, when, and for which sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from chassis.errors import ForbiddenError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Whatever the provider says it does. `none` proves nothing, and HS256 would make our secret a key of it."""
KEY_TYPES = ("RSA", "EC")
MAX_SKEW_S = 60
"""How far the provider's clock may be from ours."""
MAX_KEY_COUNT = 100
MAX_SUBJECT_CHARACTERS = 255


class UnknownKeyError(Exception):
    """The token is signed by a key that is not known. The provider may have a new one."""


def usable_keys(key_set: Mapping[str, Any]) -> list[Any]:
    """Return the keys of a provider that can sign ID tokens. Others are passed over."""
    listed = key_set.get("keys")
    found = []
    for item in listed[:MAX_KEY_COUNT] if isinstance(listed, list) else ():
        if not isinstance(item, dict) or item.get("kty") not in KEY_TYPES or item.get("use", "sig") != "sig":
            continue
        try:
            found.append(jwk.import_key(item))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found


def claims_of(
    token: str,
    keys: Sequence[Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    now: datetime,
) -> dict[str, Any]:
    """Return what an ID token says, once all of it is checked.

    Args:
        token: The token, as the provider's token endpoint gave it.
        keys: The provider's keys.
        issuer: Who has to have made it.
        client_id: For whom it has to be made.
        nonce: The sign-in that it has to belong to.
        access_token: What it came with. Empty: nothing.
        now: The present time.

    Raises:
        UnknownKeyError: It is signed by a key that is none of these.
        ForbiddenError: A check fails (`SIGN_IN_TOKEN_INVALID`).
    """
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        registry.get_alg(header["alg"])
        parsed = jwt.decode(token, _key_of(header, keys), registry=registry)
        options = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
        }
        expected = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
        claims = CodeIDToken(parsed.claims, parsed.header, options, expected)
        claims.validate(now=int(now.timestamp()), leeway=MAX_SKEW_S)
        claims["sub"].encode()  # JSON may hold half of a character, which no digest can be made of.
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise refused_token() from error
    if not 0 < len(claims["sub"]) <= MAX_SUBJECT_CHARACTERS:
        raise refused_token()
    return dict(claims)


def refused_token() -> ForbiddenError:
    """Return the refusal of an ID token. What is wrong with it is nothing for a browser."""
    return ForbiddenError(
        "The sign-in could not be checked. Sign in again. If it fails again, tell the operator.",
        reason="SIGN_IN_TOKEN_INVALID",
    )


def _key_of(header: Mapping[str, Any], keys: Sequence[Any]) -> Any:
    kid, is_rsa = header.get("kid"), header["alg"][0] in "RP"
    fitting = [key for key in keys if key.key_type == ("RSA" if is_rsa else "EC")]
    named = [key for key in fitting if key.kid == kid] if kid is not None else fitting
    if len(named) != 1:  # A token that names no key needs a provider that has only one.
        raise UnknownKeyError
    return named[0]
