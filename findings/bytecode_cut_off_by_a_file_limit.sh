#!/usr/bin/env bash
# CPython 3.11.7 on Linux.
#
# One would expect: a process with a limit on the size of files (RLIMIT_FSIZE) can't write its bytecode cache, and goes on
# without, as on a read-only disk.
# What happens: the cache file is written up to the limit, without an error, and put in its place. From then on every process that
# imports the module fails with EOFError, also those without a limit, until somebody deletes the file.
# Who is hit: whoever sandboxes a child with RLIMIT_FSIZE above 0 and imports modules in it that are not cached yet. `python -B`
# avoids it.
#
# Output seen:
#   with a limit of 100 bytes: imported
#   cache file: 100 bytes
#   without a limit, afterwards: EOFError
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/plain.py" <<'PY'
VALUES = {"one": 1, "two": 2, "three": 3}
def total():
    """Return the sum of the values."""
    return sum(VALUES.values())
PY
cd "$folder"
python3.11 - <<'PY'
import resource

resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
import plain

PY
echo "with a limit of 100 bytes: imported"
size=$(stat -c %s __pycache__/plain.cpython-311.pyc)
echo "cache file: $size bytes"
seen=$( (python3.11 -c 'import plain' 2>&1 || true) | tail -1 | cut -d: -f1)
echo "without a limit, afterwards: $seen"
test "$size" = 100 && test "$seen" = EOFError
