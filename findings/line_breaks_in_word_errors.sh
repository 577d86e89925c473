#!/usr/bin/env bash
# jiwer: a line break or a no-break space does not part words, so equal words count as errors.
#
# Versions: jiwer 4.0.0, rapidfuzz 3.14.6, Python 3.11.
# Input: the same four words twice. The reference has other white space between two of them, as text from files has:
#   a line break, a tab or a no-break space.
# Expected: a word error rate of 0. White space parts words. Two blanks in a row count as one for jiwer.
# What happens: only the blank U+0020 parts words. A lone line break, tab or no-break space makes two words one.
#   The rate is 2/3, with one word replaced and one inserted. A blank beside the line break hides it (rate 0).
#   A mend was offered upstream as change 129 of jiwer, which is closed.
# Who is hit: whoever measures against a reference of several lines. Each line end costs two errors, with no sign of it
#   but a worse rate.
# Output seen:
#   two blanks               0.00
#   blank and line break     0.00
#   line break               0.67
#   tab                      0.67
#   no-break space           0.67
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" jiwer==4.0.0 rapidfuzz==3.14.6
PYTHONPATH=$packages python3.11 - <<'PY'
import jiwer

BETWEEN = {
    "two blanks": "  ",
    "blank and line break": " \n",
    "line break": "\n",
    "tab": "\t",
    "no-break space": "\N{NO-BREAK SPACE}",
}
seen = {name: jiwer.wer(f"we moved{space}the servers", "we moved the servers") for name, space in BETWEEN.items()}
for name, rate in seen.items():
    print(f"{name:<24} {rate:.2f}")
assert [round(rate, 2) for rate in seen.values()] == [0, 0, 0.67, 0.67, 0.67], "changed"
PY
