"""A real Postgres for tests: a throw-away cluster of this machine's binaries, or the server that is named.

`INTERVIEW_POSTGRES_URL` names a server whose role may create databases. Without it a container is tried where
a Docker engine answers, then the binaries of Debian's package, and then those on the path. A cluster listens
on a socket in its own folder only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from tests import server_containers

URL_VARIABLE = "INTERVIEW_POSTGRES_URL"
DEBIAN = Path("/usr/lib/postgresql")
ROLE = "interview"
START_TIMEOUT_S = 120
MISSING = f"no Postgres here: install Debian's package postgresql, or set {URL_VARIABLE} to a server"
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests that never restart the server: nothing has to outlive it."""


class GivenServer:
    """A server that somebody else runs.

    Args:
        url: Of any database on it, by a role that may create databases.
    """

    def __init__(self, url: str) -> None:
        self._url = sqlalchemy.make_url(url).set(drivername="postgresql")
        self._made: list[str] = []

    def create_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop_databases(self) -> None:
        """Remove what was made."""
        for name in self._made:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        url = self._url.render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())


class PostgresServer(GivenServer):
    """A cluster of our own. It is run by a plain user, because Postgres refuses root.

    Args:
        binaries: The folder of `initdb` and `postgres`.
        folder: An empty folder that this user may write to.
        settings: Lines of the server's configuration.
    """

    def __init__(self, binaries: Path, folder: Path, settings: tuple[str, ...]) -> None:
        super().__init__(f"postgresql://{ROLE}@/postgres?host={folder}")
        self._binaries = binaries
        self._folder = folder
        self._settings = ("listen_addresses=", f"unix_socket_directories={folder}", *settings)
        self._process: subprocess.Popen[bytes] | None = None
        data = ["--pgdata", str(folder / "data"), "--username", ROLE, "--auth", "trust"]
        made = [str(binaries / "initdb"), *data, "--encoding", "UTF8", "--no-sync", "--no-instructions"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, **plain_user())

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [part for setting in self._settings for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), *options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C at the tests is for the tests, which stop it themselves.
                **plain_user(),
            )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline_s, (self._folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, mode: str = "fast") -> None:
        """Stop: `fast` ends connections in good order, `immediate` is as a crash."""
        if self._process is not None:
            self._process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
            self._process.wait(START_TIMEOUT_S)
            self._process = None


def plain_user() -> dict[str, Any]:
    """Return what makes `subprocess` run as a plain user, where we are root."""
    return {"user": _plain_name(), "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _plain_name() -> str:
    import pwd

    return next(
        (name for name in ("postgres", "nobody") if any(of.pw_name == name for of in pwd.getpwall())),
        "nobody",
    )


def binaries_folder() -> Path | None:
    """Return the folder of the newest Postgres of this machine, or None."""
    found = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: _version(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _version(name: str) -> float:
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


@contextmanager
def own_cluster(*settings: str) -> Iterator[PostgresServer]:
    """Run a cluster of our own, for a test that stops it too. Skips where there are no binaries."""
    binaries = binaries_folder()
    if binaries is None:
        pytest.skip(MISSING)
    # Not pytest's folder: other users may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="interview-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _plain_name())
    server: PostgresServer | None = None
    try:
        server = PostgresServer(binaries, folder, settings)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def any_server() -> Iterator[GivenServer]:
    """Give the server that is named, one in a container, or a quick cluster of our own. Else it skips."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        given = GivenServer(url)
        try:
            yield given
        finally:
            given.drop_databases()
        return
    with server_containers.postgres_url() as contained:
        if contained is not None:
            yield GivenServer(contained)
            return
    with own_cluster(*QUICK) as server:
        yield server
