"""The Postgres that tests start keeps its data over a restart, and nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.postgres_server import own_cluster


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_cluster_of_our_own_keeps_its_data_over_a_restart_and_leaves_nothing(how: str) -> None:
    with own_cluster() as server:
        url = server.create_database()
        folder = Path(str(sqlalchemy.make_url(url).query["host"]))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
        server.stop(how)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        server.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]

    assert not folder.exists()
