#!/usr/bin/env bash
# DBOS on Postgres: it waits out a refused connection, and not a host name or a socket that is missing for a moment.
#
# Versions: dbos 3.4.0, psycopg 3.3.9, SQLAlchemy 2.1.9, Python 3.11.
# Input: a database that can't be reached, in three ways: the port is closed, the host's name can't be resolved, the server's
#   socket file is not there (a server on the same machine that is being restarted).
# Expected: all three are the same outage. DBOS's documentation says that a workflow waits until the database is back.
# What happens: the engine asks `retriable_postgres_exception`, which looks for the words "connection failed" in the driver's
#   message. psycopg has these words for a closed port. It says "failed to resolve host" and "connection is bad" in the other two.
#   So the workflow's run ends with the error. As that can't be written down either, its row stays PENDING under a process that
#   lives, and nobody runs it until that process is started again.
# Who is hit: who reaches Postgres by a name (a Service of Kubernetes while its DNS is away) or by a socket. A test that closes
#   a TCP port does not show it.
# What helps: an own engine (`system_database_engine`) whose `handle_error` event marks such an error as a disconnect, which
#   the engine looks at first.
# Output seen:
#   closed port: waits=True, "connection failed"
#   missing socket: waits=False, "connection is bad"
#   unknown host: waits=False, "failed to resolve"
#   unknown host, marked: waits=True, "failed to resolve"
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" dbos==3.4.0 'psycopg[binary]==3.3.9' SQLAlchemy==2.1.9
PYTHONPATH=$packages python3.11 - <<'PY'
import socket

import sqlalchemy
from dbos._utils import retriable_postgres_exception

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def waits(name, place, *, marked=False):
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://u@{place}")
    if marked:

        @sqlalchemy.event.listens_for(engine, "handle_error")
        def mark(context):
            context.is_disconnect = True

    try:
        engine.connect()
    except sqlalchemy.exc.OperationalError as error:
        waited, words = retriable_postgres_exception(error), str(error.orig).partition(":")[0].split()[:3]
    print(f"{name}: waits={waited}, \"{' '.join(words)}\"")
    return waited


assert waits("closed port", f"127.0.0.1:{port}/d"), "changed"
assert not waits("missing socket", "/d?host=/nowhere"), "changed"
assert not waits("unknown host", "no-such-host.invalid/d"), "changed"
assert waits("unknown host, marked", "no-such-host.invalid/d", marked=True), "changed"
PY
