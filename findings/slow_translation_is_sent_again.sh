#!/usr/bin/env bash
# DeepL's client: a translation that takes more than ten seconds never arrives. It is sent again and again instead.
#
# Versions: deepl 1.32.0, requests 2.34.2, Python 3.11.
# Input: a server that answers rightly, but only after 12 s. And one that says 429 with `Retry-After: 3` to the first request
#   and answers the second one.
# Expected: the answer after 12 s. `translate_text` takes no time limit, and nothing was said of one. In the second case three
#   seconds until the next request.
# What happens: the client leaves after 10 s and sends the whole text once more, six times in all. Then it raises a
#   ConnectionException, after a minute. The server did the work each time. The 10 s are `http_client.min_connection_timeout`: it
#   is named after connecting and holds for the answer. `Retry-After` is not read: the second request comes after one second.
# Who is hit: who translates long texts in one request, or has a proxy or a busy moment between. It looks like a network that is down,
#   and each repeat is paid for if the service counts it. Set `deepl.http_client.min_connection_timeout` before the first call.
# Output seen (it takes about 75 s):
#   slow:        ConnectionException after 61 s, requests 6, answered 6
#   limit of 15: translated after 12 s, requests 1, answered 1
#   busy:        next request after 1 s, told 3 s
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" deepl==1.32.0 requests==2.34.2
PYTHONPATH=$packages python3.11 - <<'PY'
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import deepl

SLOW_S, TOLD_S = 12, 3


class Translator(BaseHTTPRequestHandler):
    """Answers late, or says once that it is busy."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked_s.append(time.monotonic())
        busy = self.server.busy and len(self.server.asked_s) == 1
        if not self.server.busy:
            time.sleep(SLOW_S)
        self.server.answered += 1
        content = json.dumps({"translations": [{"detected_source_language": "EN", "text": "halo", "billed_characters": 5}]}).encode()
        try:
            self.send_response(429 if busy else 200)
            if busy:
                self.send_header("Retry-After", str(TOLD_S))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except ConnectionError:  # The client has left.
            pass

    def log_message(self, *_):
        pass


def translate(busy=False):
    """Return how a translation ended, after how many seconds, and the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Translator)
    server.busy, server.asked_s, server.answered = busy, [], 0
    Thread(target=server.serve_forever, daemon=True).start()
    client = deepl.DeepLClient("key", server_url=f"http://127.0.0.1:{server.server_port}")
    begin_s = time.monotonic()
    try:
        client.translate_text("hello", target_lang="ID")
        end = "translated"
    except deepl.ConnectionException as error:
        end = type(error).__name__
    took_s = time.monotonic() - begin_s
    time.sleep(SLOW_S if end != "translated" else 0)
    server.shutdown()
    return end, took_s, server


slow, slow_s, slow_server = translate()
_, _, busy_server = translate(busy=True)
deepl.http_client.min_connection_timeout = 15.0
patient, patient_s, patient_server = translate()
pause_s = busy_server.asked_s[1] - busy_server.asked_s[0]
for name, end, took_s, server in (("slow:       ", slow, slow_s, slow_server), ("limit of 15:", patient, patient_s, patient_server)):
    print(f"{name} {end} after {took_s:.0f} s, requests {len(server.asked_s)}, answered {server.answered}")
print(f"busy:        next request after {pause_s:.0f} s, told {TOLD_S} s")
assert (slow, len(slow_server.asked_s)) == ("ConnectionException", 6), "changed"
assert (patient, len(patient_server.asked_s)) == ("translated", 1), "changed"
assert pause_s < 2, "changed"
PY
