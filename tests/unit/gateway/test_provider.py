"""What is asked of the sign-in provider, how often, and what is kept of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from chassis.errors import InterviewError, UnavailableError
from gateway.people.provider import ASK_AGAIN_S, KEPT_S, MAX_ANSWER_BYTES, Provider
from gateway.people.settings import PeopleSettings

pytestmark = pytest.mark.anyio

ISSUER = "https://id.example/realm"


def _reply(content: bytes) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(content))  # still to be read, as from a network


class FakeProvider:
    """Answers at once, and counts."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.asked: Counter[str] = Counter()
        self.headers: list[httpx.Headers] = []
        self.is_away = False
        self.kids = ["a"]
        self.content: bytes | None = None
        groups: Any = ({"claim": "hr", "scopes": ["read"]},)
        self.provider = Provider(
            PeopleSettings(
                public_url="https://us.example", oidc_issuer=ISSUER, oidc_client_id="c", oidc_groups=groups
            ),
            httpx.MockTransport(self._answer),
            lambda: self.now_s,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        what = request.url.path.rsplit("/", 1)[-1]
        self.asked[what] += 1
        self.headers.append(request.headers)
        if self.is_away:
            raise httpx.ConnectError("away")
        if self.content is not None:
            return _reply(self.content)
        if what == "keys":
            keys = [ECKey.generate_key("P-256", {"kid": kid}).as_dict(private=False) for kid in self.kids]
            return _reply(json.dumps({"keys": keys}).encode())
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        addresses = [f"{ISSUER}/{name}" for name in ("auth", "token", "keys")]
        document = {"issuer": ISSUER, **dict(zip(names, addresses, strict=True))}
        return _reply(json.dumps(document).encode())

    async def kids_known(self, *, again: bool = False) -> list[str]:
        return [key.kid for key in await self.provider.keys(again=again)]


async def test_what_the_provider_says_is_kept_for_an_hour() -> None:
    fake = FakeProvider()
    for _ in range(3):
        assert (await fake.provider.endpoints()).authorization == f"{ISSUER}/auth"
        assert await fake.kids_known() == ["a"]
    assert fake.asked == {"openid-configuration": 1, "keys": 1}

    fake.now_s += KEPT_S
    await fake.kids_known()

    assert fake.asked == {"openid-configuration": 2, "keys": 2}
    assert all(headers["Accept-Encoding"] == "identity" for headers in fake.headers)


async def test_a_key_that_is_not_known_is_looked_for_again_but_not_all_the_time() -> None:
    fake = FakeProvider()
    await fake.kids_known()
    fake.kids = ["b"]
    for _ in range(5):
        assert await fake.kids_known(again=True) == ["a"]
    assert fake.asked["keys"] == 1

    fake.now_s += ASK_AGAIN_S
    for _ in range(5):
        assert await fake.kids_known(again=True) == ["b"]

    assert fake.asked["keys"] == 2


async def test_a_provider_that_is_away_is_left_alone_and_what_it_said_still_counts() -> None:
    fake = FakeProvider()
    fake.is_away = True
    for _ in range(5):
        with pytest.raises(UnavailableError) as raised:
            await fake.provider.endpoints()
        assert raised.value.reason == "SIGN_IN_PROVIDER_UNAVAILABLE"
    assert fake.asked["openid-configuration"] == 1

    fake.is_away = False
    fake.now_s += ASK_AGAIN_S
    known = await fake.provider.endpoints()
    fake.is_away = True
    fake.now_s += KEPT_S

    assert await fake.provider.endpoints() == known


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b" " * (MAX_ANSWER_BYTES + 1)])
async def test_what_is_no_small_json_object_is_of_no_use(content: bytes) -> None:
    fake = FakeProvider()
    fake.content = content

    with pytest.raises(InterviewError) as raised:
        await fake.provider.endpoints()

    assert raised.value.reason == "SIGN_IN_PROVIDER_UNAVAILABLE"


@pytest.mark.parametrize(
    "content", [b"{}", b'{"keys": {}}', b'{"keys": [null, {"kty": "EC"}, {"kty": "oct"}]}']
)
async def test_keys_of_no_use_are_none(content: bytes) -> None:
    fake = FakeProvider()
    await fake.provider.endpoints()
    fake.content = content

    for _ in range(3):
        assert await fake.kids_known(again=True) == []
    assert fake.asked["keys"] == 1
