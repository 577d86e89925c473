#!/usr/bin/env bash
# onnxruntime on Linux: loading a model leaves a device id and a database of events in the home folder.
#
# Versions: onnxruntime 1.32.0 (its wheel for Linux), faster-whisper 1.2.1 (only its voice activity model), numpy 2.4.6, Python 3.11.
# Input: a fresh home folder. A process loads a model, for the CPU.
# Expected: it reads the model and writes nothing. Older versions of the page on privacy say that only Windows builds report
#   their use.
# What happens: `~/.cache/Microsoft/DeveloperTools/.onnxruntime/` holds `deviceid`, a random id that stays, and `onnxruntime.db`, where
#   events wait to be sent. With `ORT_DISABLE_TELEMETRY=1` before the import nothing is written. There is no argument for it, and
#   `disable_telemetry_events()` comes too late: the files are made at the import.
# Who is hit: whoever promises that recordings are worked on offline, or reviews what a container writes and where it calls.
#   It comes with each library that uses onnxruntime, such as faster-whisper's `vad_filter`.
# Output seen:
#   as it is:                deviceid onnxruntime.db
#   ORT_DISABLE_TELEMETRY=1: nothing
set -euo pipefail
if [ "$(uname -s)" != Linux ]; then echo "this shows on Linux only"; exit 0; fi
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --no-deps --target "$packages/lib" onnxruntime==1.32.0 faster-whisper==1.2.1
python3.11 -m pip install --quiet --target "$packages/lib" numpy==2.4.6 flatbuffers==25.12.19 protobuf==7.36.2 packaging==26.3
load='
import glob, sys
import onnxruntime
onnxruntime.InferenceSession(glob.glob(sys.argv[1] + "/lib/faster_whisper/assets/silero_vad*.onnx")[0], providers=["CPUExecutionProvider"])
'
left() {  # what a process with this home and these variables leaves there
    mkdir "$packages/$1"
    env -u CI -u ORT_DISABLE_TELEMETRY -u XDG_CACHE_HOME HOME="$packages/$1" PYTHONPATH="$packages/lib" "${@:2}" \
        python3.11 -B -c "$load" "$packages" >/dev/null 2>&1
    find "$packages/$1" -type f -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//'
}
as_it_is=$(left plain)
disabled=$(left disabled ORT_DISABLE_TELEMETRY=1)
echo "as it is:                ${as_it_is:-nothing}"
echo "ORT_DISABLE_TELEMETRY=1: ${disabled:-nothing}"
[[ $as_it_is == deviceid*onnxruntime.db* ]] && [ -z "$disabled" ]
