#!/usr/bin/env bash
# Authlib: a client secret with a `+` or a `%` is refused by providers that keep to the standard of OAuth.
#
# Versions: Authlib 1.9.10, requests 2.34.2, Python 3.11.
# Input: `client_secret_basic`, the usual way to name oneself to a provider, with the secrets `s3cret`, `s3+cret` and `s3%41cret`.
#   The token endpoint decodes them as RFC 6749, section 2.3.1, says: Base64 first, then the encoding of forms.
# Expected: all three log in. The RFC has the client encode id and secret as in a form before Base64.
# What happens: Authlib sends them as they are. `s3+cret` arrives as "s3 cret" and `s3%41cret` as "s3Acret", so the answer is 401
#   invalid_client. A change that quoted them (594 of Authlib) was taken back, as other providers do not decode. Nothing in the
#   library's answer points at the secret's characters.
#   Quoting by hand helps with such a provider, and breaks with one that does not decode. `client_secret_post` works with both.
# Who is hit: sign-in by OpenID Connect. Secrets are made at random, so a new one works in staging and fails in production,
#   or from the day of its rotation on.
# Output seen:
#   s3cret      basic 200, quoted by hand 200, post 200
#   s3+cret     basic 401, quoted by hand 200, post 200
#   s3%41cret   basic 401, quoted by hand 200, post 200
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" Authlib==1.9.10 requests==2.34.2
PYTHONPATH=$packages python3.11 - <<'PY'
import base64
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs, quote_plus, unquote_plus

from authlib.integrations.requests_client import OAuth2Session

SECRETS = "s3cret", "s3+cret", "s3%41cret"


class TokenEndpoint(BaseHTTPRequestHandler):
    """Gives a token to who knows the secret."""

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if basic := self.headers.get("Authorization"):
            decoded = base64.b64decode(basic.removeprefix("Basic ")).decode()
            told = unquote_plus(decoded.partition(":")[2])
        else:
            told = form["client_secret"][0]
        right = told == self.server.secret
        self.server.statuses.append(200 if right else 401)
        answer = {"access_token": "a", "token_type": "Bearer"} if right else {"error": "invalid_client"}
        content = json.dumps(answer).encode()
        self.send_response(self.server.statuses[-1])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), TokenEndpoint)
server.statuses = []
Thread(target=server.serve_forever, daemon=True).start()


def status(secret, told, method):
    """Ask for a token, and return what the endpoint answered."""
    server.secret = secret
    session = OAuth2Session("example", told, token_endpoint_auth_method=method)
    try:
        session.fetch_token(f"http://127.0.0.1:{server.server_port}/token", grant_type="client_credentials")
    except Exception as error:  # Its class is told by the endpoint's answer.
        assert "invalid_client" in str(error), error
    return server.statuses[-1]


seen = {}
for secret in SECRETS:
    seen[secret] = (
        status(secret, secret, "client_secret_basic"),
        status(secret, quote_plus(secret), "client_secret_basic"),
        status(secret, secret, "client_secret_post"),
    )
    print("{:<11} basic {}, quoted by hand {}, post {}".format(secret, *seen[secret]))
server.shutdown()
assert seen == {"s3cret": (200,) * 3, "s3+cret": (401, 200, 200), "s3%41cret": (401, 200, 200)}, "changed"
PY
