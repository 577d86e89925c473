#!/usr/bin/env bash
# Measures the transcriber on one NVIDIA GPU, also on a machine that can reach nothing outside. See README.md.
#   run.sh prepare [--python-version 3.12] [--without-cuda] [--piece-mb 56]   here: collect, cut into pieces
#   run.sh carry NUMBER                                                       there: check a piece, put it in place
#   run.sh measure [--budget-s 360] [--device cpu] [--keep FILE]              there: measure, print the table
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
HOLD="${INTERVIEW_GPU_DIR:-/tmp/interview-gpu}" # where the pieces gather on the other machine
cd "$ROOT"
PYTHON="${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}"
export PYTHONPATH="$ROOT:$ROOT/protos/gen" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

fail() { echo "$1" >&2; exit 2; }

measure() {
  local there="$HOLD/there" site
  if [ -d "$HOLD/pieces" ]; then
    if [ ! -d "$there" ]; then
      "$PYTHON" -m benchmarks.gpu.pieces unpack "$HOLD/pieces" "$there"
    fi
    local have want
    have="$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    want="$(cat "$there/python-version")"
    [ "$have" = "$want" ] || fail "The pieces are for Python $want, and $PYTHON is $have. Set PYTHON, or prepare with --python-version $have."
    site="$there/site"
    export PYTHONPATH="$site:$PYTHONPATH" PYTHONNOUSERSITE=1 INTERVIEW_MODELS_DIR="$there/models"
    set -- --recordings "$there/recordings" "$@"
  else
    site="$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
  fi
  export LD_LIBRARY_PATH="$site/nvidia/cublas/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  exec "$PYTHON" -m benchmarks.gpu.measure "$@"
}

case "${1:-}" in
  prepare) exec "$PYTHON" -m benchmarks.gpu.prepare "${@:2}" ;;
  carry)
    [ -n "${2:-}" ] || fail "Say which piece: run.sh carry NUMBER"
    exec "$PYTHON" -m benchmarks.gpu.pieces carry "$2" "${INTERVIEW_GPU_PIECES:-build/gpu/pieces}" "$HOLD/pieces" ;;
  measure) measure "${@:2}" ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
