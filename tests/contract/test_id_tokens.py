"""A token of the provider that is not right in every part signs nobody in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from gateway.people.provider import ASK_AGAIN_S
from tests.openid_provider import CLIENT_ID, OpenIdProvider
from tests.signing_in import Visitor

pytestmark = pytest.mark.anyio

REFUSED = (403, "SIGN_IN_TOKEN_INVALID")


@pytest.fixture
def visitor(tmp_path: Path, provider: OpenIdProvider) -> Visitor:
    return Visitor(tmp_path, provider)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"aud": [CLIENT_ID, "another"]},  # for whom of them is not said
        {"aud": None},
        {"aud": 7},
        {"iss": "https://another.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "\ud800"},  # half of a character
        {"at_hash": "of another access token"},
    ],
)
async def test_a_claim_that_is_wrong(
    visitor: Visitor, provider: OpenIdProvider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims

    assert await visitor.refusal() == REFUSED


async def test_a_token_that_is_nested_without_end(visitor: Visitor, provider: OpenIdProvider) -> None:
    provider.claims_text = f', "deep": {"[" * 20_000}{"]" * 20_000}'

    assert await visitor.refusal() == REFUSED


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}])
async def test_an_algorithm_that_proves_nothing(
    visitor: Visitor, provider: OpenIdProvider, header: dict[str, Any]
) -> None:
    # Whatever the provider says that it uses.
    provider.document["id_token_signing_alg_values_supported"] = ["none", "HS256", "RS256"]
    provider.header = header

    assert await visitor.refusal() == REFUSED


async def test_clocks_may_differ_by_a_minute_and_no_more(visitor: Visitor, provider: OpenIdProvider) -> None:
    now = int(time.time())
    for claims, status in (
        ({"exp": now - 30}, 303),
        ({"exp": now + 600, "iat": now + 30}, 303),
        ({"exp": now - 120}, 403),
        ({"exp": now + 600, "iat": now + 300}, 403),
        ({"iat": now, "nbf": now + 300}, 403),
    ):
        provider.claims |= claims
        assert (await visitor.sign_in()).status_code == status, claims


@pytest.mark.parametrize("algorithm", ["PS256", "ES256"])
async def test_other_algorithms_that_prove_it_are_taken(
    visitor: Visitor, provider: OpenIdProvider, algorithm: str
) -> None:
    provider.algorithm = algorithm
    provider.rotate()

    assert (await visitor.sign_in()).status_code == 303


async def test_a_signature_by_another_key_of_the_same_name(
    visitor: Visitor, provider: OpenIdProvider
) -> None:
    assert (await visitor.sign_in()).status_code == 303
    (kid,) = provider.keys
    provider.rotate()
    provider.keys = {kid: next(iter(provider.keys.values()))}

    assert await visitor.refusal() == REFUSED


async def test_a_token_that_names_no_key_is_of_the_only_one(
    visitor: Visitor, provider: OpenIdProvider
) -> None:
    provider.header = {"kid": None}

    assert (await visitor.sign_in()).status_code == 303


async def test_a_new_key_of_the_provider_is_found(visitor: Visitor, provider: OpenIdProvider) -> None:
    clock_s = visitor.own_clock()
    assert (await visitor.sign_in()).status_code == 303
    provider.rotate()

    assert await visitor.refusal() == REFUSED  # It was asked a moment ago.
    assert provider.asked.count("/jwks") == 1
    clock_s[0] += ASK_AGAIN_S

    assert (await visitor.sign_in()).status_code == 303
    assert provider.asked.count("/jwks") == 2
