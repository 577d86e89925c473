"""What somebody who signed in may do, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chassis.api_keys import Scope
from chassis.errors import ForbiddenError
from gateway.callers import Client
from gateway.people.persons import People, Person, groups_in, subject_of
from gateway.people.settings import ProviderGroup
from gateway.sealed import MAX_SEALED_CHARACTERS, Seal
from gateway.settings import GatewaySettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET, ISSUER = b"s" * 32, "https://id.example"
HOUR_S = 3600


def group(claim: str, *scopes: Scope, owner: str = "") -> ProviderGroup:
    return ProviderGroup(claim=claim, scopes=scopes, group=owner)


GROUPS = (
    group("/hr/lead", "submit", "read", "manage", owner="hr"),
    group("/law", "read", "review", owner="legal"),
    group("/sales", "submit", "read"),
    group("/ops", "admin", owner="ops"),
)


def people(*groups: ProviderGroup, secrets: tuple[bytes, ...] = (SECRET,), heir: str = "") -> People:
    return People(Seal(secrets, "person", HOUR_S), groups or GROUPS, heir)


def met(*groups: str, of: People | None = None, **claims: Any) -> Person:
    return (of or people()).met(ISSUER, {"sub": "u1"} | claims, frozenset(groups), NOW)


def rights(person: Person, *scopes: Scope, heir: str = "") -> tuple[str, frozenset[str] | None]:
    client = people(heir=heir).client_of(person, scopes)
    return client.group, client.groups


def refusal(person: Person, *scopes: Scope, of: People | None = None) -> str:
    with pytest.raises(ForbiddenError) as raised:
        (of or people()).client_of(person, scopes)
    return raised.value.reason


def test_a_right_counts_for_the_group_that_grants_it_alone() -> None:
    both = met("/hr/lead", "/law", "/elsewhere")

    assert rights(both, "read") == ("hr", frozenset({"hr", "legal"}))
    assert rights(both, "manage") == ("hr", frozenset({"hr"}))
    assert rights(both, "review", "manage") == ("hr", frozenset({"hr", "legal"}))
    assert rights(both, "submit") == ("hr", frozenset({"hr"}))
    assert refusal(both, "admin") == "SIGN_IN_SCOPE_MISSING"
    assert refusal(met("/law"), "submit") == "SIGN_IN_SCOPE_MISSING"
    assert rights(met("/sales"), "submit") == ("/sales", frozenset({"/sales"}))
    assert rights(met("/ops"), "read") == ("ops", None)
    assert rights(met("/ops", "/law"), "read") == ("legal", None)
    assert rights(met("/law"), "read", heir="legal") == ("legal", frozenset({"legal", ""}))


def test_who_is_in_no_group_of_ours_is_not_let_in() -> None:
    for groups in ((), ("/elsewhere",), ("/hr",), ("/HR/LEAD",)):
        with pytest.raises(ForbiddenError) as raised:
            met(*groups)
        assert raised.value.reason == "SIGN_IN_GROUP_MISSING"


def test_a_group_that_the_operator_takes_out_counts_no_more() -> None:
    known = people()
    cookie = known.cookie_for(met("/law"), NOW)

    later = people(*GROUPS[2:])
    person = later.find(cookie, NOW)

    assert person is not None
    assert refusal(person, "read", of=later) == "SIGN_IN_GROUP_MISSING"


def test_a_sign_in_ends_and_nobody_can_make_or_change_one() -> None:
    known = people()
    person = met("/law", name="Ana")
    cookie = known.cookie_for(person, NOW)

    assert known.find(cookie, NOW + timedelta(seconds=HOUR_S - 1)) == person
    assert known.find(cookie, NOW + timedelta(seconds=HOUR_S)) is None
    for other in ("", "x", cookie[:-2], f"A{cookie[1:]}", cookie * 20, "ä"):
        assert known.find(other, NOW) is None
    assert people(secrets=(b"x" * 32,)).find(cookie, NOW) is None
    assert people(secrets=(b"x" * 32, SECRET)).find(cookie, NOW) == person  # a secret that is replaced
    for purpose in ("signing-in", "original-page"):
        assert Seal([SECRET], purpose, HOUR_S).open(cookie, NOW) is None


def test_a_person_is_known_by_a_number_that_stays_and_is_another_one_at_another_provider() -> None:
    first, again = met("/law", name="Ana", email="a@b.c"), met("/law", name="Ana Example")

    assert first.subject == again.subject == subject_of(ISSUER, "u1")
    assert len(first.subject) == len("person:") + 32
    assert first.subject != subject_of("https://other.example", "u1")
    assert subject_of("a", "bc") != subject_of("ab", "c")
    assert "Ana" not in repr(first)


def test_a_cookie_stays_small_whatever_the_provider_says() -> None:
    groups = tuple(group(f"/a/long/name/of/a/group/{number}", "read") for number in range(50))
    known = people(*groups)
    person = met(*(item.claim for item in groups), of=known, name="\x00N\u202e" + "ä" * 500)

    assert person.name == "N" + "ä" * 99 or len(person.name) == 100
    assert len(known.cookie_for(person, NOW)) < MAX_SEALED_CHARACTERS


@pytest.mark.parametrize(
    ("claims", "name", "found"),
    [
        ({"groups": ["a", "b", 7, None]}, "groups", {"a", "b"}),
        ({"groups": "a"}, "groups", {"a"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://x.example/groups": ["a"]}, "https://x.example/groups", {"a"}),
        ({"realm_access": "a"}, "realm_access.roles", set()),
        ({"groups": {"a": 1}}, "groups", set()),
        ({}, "groups", set()),
    ],
)
def test_groups_are_read_where_the_provider_puts_them(
    claims: dict[str, Any], name: str, found: set[str]
) -> None:
    assert groups_in(claims, name) == found


RIGHT: dict[str, Any] = {
    "oidc_issuer": "https://id.example/realms/work",
    "oidc_client_id": "interviews",
    "public_url": "https://Us.example:443/",
    "oidc_groups": [{"claim": "hr", "scopes": ["read"]}],
}


def test_signing_in_asks_everybody_who_it_is() -> None:
    settings = GatewaySettings(**RIGHT, host="192.0.2.1")

    assert settings.has_keys
    assert settings.public_url == "https://us.example"
    assert settings.effective_hosts == ("*",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": ""},
        {"oidc_client_id": ""},
        {"oidc_groups": []},
        {"oidc_groups": [{"claim": "hr", "scopes": []}]},
        {"oidc_groups": [{"claim": "hr", "scopes": ["everything"]}]},
        {"oidc_issuer": "http://id.example"},
        {"oidc_issuer": "id.example"},
        {"oidc_issuer": "https://user:pw@id.example"},
        {"public_url": "http://us.example"},
        {"public_url": "https://us.example/app"},
        {"oidc_scopes": ["profile"]},
    ],
)
def test_a_setting_that_is_wrong_is_said_at_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings(**(RIGHT | wrong))


def test_a_client_says_whether_it_is_somebody() -> None:
    assert Client("person:1", end=NOW).known
    assert Client("key:a", key_sha256="a").known
    assert not Client("192.0.2.1").known
    assert Client("page:a", key_sha256="a", address="192.0.2.1").share == "192.0.2.1"
