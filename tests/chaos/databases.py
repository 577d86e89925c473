"""The two kinds of state that a scenario runs on."""

from __future__ import annotations

import pytest

SQLITE, POSTGRES = DATABASES = ("SQLite", "Postgres")


def database(kind: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database. Empty for SQLite: the scenario makes its own file."""
    return str(request.getfixturevalue("postgres_url")) if kind == POSTGRES else ""
