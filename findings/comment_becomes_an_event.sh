#!/usr/bin/env bash
# httpx-sse: once an event had an id, each keep-alive comment is handed out as an empty event.
#
# Versions: httpx-sse 0.4.3, httpx 0.28.1, sse-starlette 3.7.0, Python 3.11.
# Input: a `text/event-stream` of one event with an id and two comments after it. sse-starlette writes the comments itself
#   as its keep-alive.
# Expected: one event. The HTML standard throws a block away whose data buffer is empty, and a comment holds no data.
# What happens: each comment is followed by an event `message` with empty data and the id of the last event.
#   Without an id in the stream the comments are passed over. So a test without ids does not show it.
#   The kept id counts as content of the new block. It is known upstream as issue 35 of httpx-sse.
# Who is hit: each client that reads JSON from the data. It fails after the first quiet time of the server, not in a quick test.
# Output seen:
#   with an id:    [('level', '{"a": 1}', '7'), ('message', '', '7'), ('message', '', '7')]
#   without an id: [('level', '{"a": 1}', '')]
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" httpx-sse==0.4.3 httpx==0.28.1 sse-starlette==3.7.0
PYTHONPATH=$packages python3.11 - <<'PY'
import httpx
from httpx_sse import connect_sse
from sse_starlette import ServerSentEvent

PING = ServerSentEvent(comment="ping").encode()


def events(**first):
    """Return what the client hands out for one event and two comments."""
    stream = ServerSentEvent(data='{"a": 1}', event="level", **first).encode() + PING + PING
    answer = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=stream)
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client:
        with connect_sse(client, "GET", "http://example.org/") as source:
            return [(event.event, event.data, event.id) for event in source.iter_sse()]


with_id, without = events(id="7"), events()
print("with an id:   ", with_id)
print("without an id:", without)
assert with_id == [("level", '{"a": 1}', "7"), ("message", "", "7"), ("message", "", "7")], "changed"
assert without == [("level", '{"a": 1}', "")], "changed"
PY
