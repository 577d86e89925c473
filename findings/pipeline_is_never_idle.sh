#!/usr/bin/env bash
# psycopg's executemany: a client that stands still between two rows keeps its locks, whatever the server's limits are.
#
# Versions: psycopg 3.3.9, PostgreSQL 15 (Debian 12), Python 3.11.
# Input: a transaction with idle_in_transaction_session_timeout and statement_timeout of 1 s. It updates rows one after the other,
#   and its client stands still for 5 s before the third row: a frozen virtual machine, a stopped container, a slow source of rows.
#   Once the rows are sent with `execute`, once with `executemany`.
# Expected: the server ends the transaction after a second, in both. That is what the limit is there for: nobody else
#   can touch the rows that it has changed.
# What happens: executemany sends its rows as a pipeline (libpq 14 and later). In one the server has no end of the request
#   yet, so it does not say "idle in transaction" but "active", and waits for the rest of the message. Neither limit counts
#   there. The locks stay for as long as the client stands still.
# Who is hit: who bounds what a frozen client may block by that setting. SQLAlchemy uses executemany for every update of a list.
#   Send rows one by one where that matters: with SQLAlchemy by the event `do_executemany`. (PostgreSQL 17 has transaction_timeout.
#   It was not tried.)
# Output seen:
#   execute      after 3 s: gone, another client gets the lock; the client: IdleInTransactionSessionTimeout
#   executemany  after 3 s: active, another client waits for the lock; the client: no error
set -euo pipefail
packages=$(mktemp -d)
chmod 755 "$packages"
binaries=$(ls -d /usr/lib/postgresql/*/bin | tail -1) # Debian: apt-get install postgresql
as_user=() # a server refuses to run as root
if [ "$(id -u)" = 0 ]; then as_user=(runuser -u postgres --); fi
mkdir -m 777 "$packages/server"
trap '"${as_user[@]}" "$binaries/pg_ctl" -D "$packages/server/data" -m immediate stop >/dev/null; rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" 'psycopg[binary]==3.3.9'
"${as_user[@]}" "$binaries/initdb" -D "$packages/server/data" -U example --auth=trust >/dev/null
"${as_user[@]}" "$binaries/pg_ctl" -D "$packages/server/data" -w -l "$packages/server/log" \
    -o "-c listen_addresses= -k $packages/server" start >/dev/null
PYTHONPATH=$packages python3.11 - "$packages/server" <<'PY'
import sys
import threading
import time

import psycopg

URL = f"host={sys.argv[1]} user=example dbname=postgres"
LIMIT_S, LOOK_S, STILL_S = 1, 3, 5
UPDATE = "UPDATE example SET state = 'changed' WHERE id = %s"


def rows():
    """Give three rows, and stand still before the last one."""
    yield (1,)
    yield (2,)
    time.sleep(STILL_S)
    yield (3,)


def change(how, ended):
    client = psycopg.connect(URL, application_name=how)
    client.execute(f"SET idle_in_transaction_session_timeout = '{LIMIT_S}s'")
    client.execute(f"SET statement_timeout = '{LIMIT_S}s'")
    client.commit()
    try:
        with client.cursor() as cursor:
            if how == "executemany":
                cursor.executemany(UPDATE, rows())
            else:
                for row in rows():
                    cursor.execute(UPDATE, row)
    except psycopg.Error as error:
        ended.append(type(error).__name__)
    client.close()


def seen(how):
    """Let a client change rows, and look in the middle at it and at a row that it has changed."""
    ended = []
    client = threading.Thread(target=change, args=(how, ended))
    client.start()
    time.sleep(LOOK_S)
    with psycopg.connect(URL, autocommit=True) as other:
        found = other.execute("SELECT state FROM pg_stat_activity WHERE application_name = %s", (how,)).fetchone()
        other.execute("SET lock_timeout = '200ms'")
        try:
            other.execute(UPDATE, (1,))
            lock = "gets the lock"
        except psycopg.errors.LockNotAvailable:
            lock = "waits for the lock"
    client.join()
    state, error = found[0] if found else "gone", ended[0] if ended else "no error"
    print(f"{how:<12} after {LOOK_S} s: {state}, another client {lock}; the client: {error}")
    return state, lock


with psycopg.connect(URL, autocommit=True) as setting_up:
    setting_up.execute("CREATE TABLE example (id int PRIMARY KEY, state text)")
    setting_up.execute("INSERT INTO example SELECT n, 'new' FROM generate_series(1, 3) n")
assert seen("execute") == ("gone", "gets the lock"), "changed"
assert seen("executemany") == ("active", "waits for the lock"), "changed"
PY
