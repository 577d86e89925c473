"""People of several groups, who have signed in already."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from gateway.auth import utc_now

URL, ISSUER = "http://127.0.0.1:7860", "https://id.example"
GROUPS: Any = (
    {"claim": "recruiters", "scopes": ("submit", "read", "manage"), "group": "hr"},
    {"claim": "sellers", "scopes": ("submit", "read", "manage"), "group": "sales"},
    {"claim": "readers", "scopes": ["read"], "group": "hr"},
    {"claim": "operators", "scopes": ["admin"], "group": "ops"},
)
PEOPLE_SIGN_IN: dict[str, Any] = {
    "public_url": URL,
    "oidc_issuer": ISSUER,
    "oidc_client_id": "c",
    "oidc_groups": GROUPS,
}
PEOPLE = {
    "person of hr": ("recruiters",),
    "person of sales": ("sellers",),
    "reader of hr, manager of sales": ("sellers", "readers"),
    "operator": ("operators",),
}


def cookie_of(app: FastAPI, name: str, *groups: str) -> dict[str, str]:
    """Return what a browser sends for somebody who signed in."""
    people, now = app.state.gateway.browsers.people, utc_now()
    person = people.met(ISSUER, {"sub": name}, frozenset(groups), now)
    return {"Cookie": f"interview_person={people.cookie_for(person, now)}", "Origin": URL}
