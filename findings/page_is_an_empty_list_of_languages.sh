#!/usr/bin/env bash
# deepl: a proxy's sign-in page with status 200 is an empty list of languages and an account without limits.
#
# Versions: deepl 1.32.0, Python 3.11.
# Input: a server (a proxy of a company or a hotel is one) that answers every request with status 200 and an HTML page.
# Expected: an error of the library (`DeepLException`) that says that this is no reply of DeepL's.
# What happens: `get_target_languages` returns an empty list, `get_usage` an account in which no limit was reached. Only a
#   translation fails, with an IndexError, which is none of the library's errors. So code that catches `DeepLException` ends, and code that
#   keeps the list of languages believes until its next start that DeepL knows none.
# Who is hit: services that ask for languages or usage to see whether DeepL can be reached. Take an empty list for a failure, and
#   catch more than the library's errors.
# Output seen:
#   target languages: [], any limit reached: False
#   translation: IndexError, an error of the library: False
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" deepl==1.32.0
PYTHONPATH=$packages python3.11 - <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import deepl

PAGE = b"<html><body>Please sign in to use this network.</body></html>"


class Portal(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    do_GET = do_POST

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Portal)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = deepl.DeepLClient("a-key", server_url=f"http://127.0.0.1:{server.server_port}")

languages = client.get_target_languages()
limit_reached = client.get_usage().any_limit_reached
try:
    client.translate_text("Good morning.", target_lang="ID")
    failure = None
except Exception as error:
    failure = error
server.shutdown()

print(f"target languages: {languages}, any limit reached: {limit_reached}")
print(f"translation: {type(failure).__name__}, an error of the library: {isinstance(failure, deepl.DeepLException)}")
assert languages == []
assert limit_reached is False
assert isinstance(failure, IndexError)
PY
