#!/usr/bin/env bash
# deepl: a translation that comes without its number of billed characters is thrown away.
#
# Versions: deepl 1.32.0, Python 3.11.
# Input: a reply of `/v2/translate` with `text` and `detected_source_language`, as the protocol was before `show_billed_characters`, and as
#   servers that speak DeepL's protocol (stand-ins for tests, gateways before another engine) still send it.
# Expected: the translation, with `billed_characters` absent: the class says that it is an int, but the field is optional in the protocol.
# What happens: TypeError, because the library turns the absent number into an int. The text was translated and counted, and is lost. It is
#   none of the library's errors, so a caller that repeats what is not `DeepLException` pays for each attempt.
# Who is hit: whoever puts a gateway or a stand-in between the library and DeepL. Let it send the number, 0 if need be.
# Output seen:
#   with the number: Selamat pagi. (13 characters)
#   without it: TypeError, an error of the library: False
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" deepl==1.32.0
PYTHONPATH=$packages python3.11 - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import deepl

translation = {"detected_source_language": "EN", "text": "Selamat pagi.", "billed_characters": 13}


class Translator(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = json.dumps({"translations": [translation]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Translator)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = deepl.DeepLClient("a-key", server_url=f"http://127.0.0.1:{server.server_port}")

with_number = client.translate_text("Good morning.", target_lang="ID")
del translation["billed_characters"]
try:
    client.translate_text("Good morning.", target_lang="ID")
    failure = None
except Exception as error:
    failure = error
server.shutdown()

print(f"with the number: {with_number.text} ({with_number.billed_characters} characters)")
print(f"without it: {type(failure).__name__}, an error of the library: {isinstance(failure, deepl.DeepLException)}")
assert with_number.billed_characters == 13
assert isinstance(failure, TypeError)
PY
