#!/usr/bin/env bash
# honcho: values of an .env file lose their blanks, and everything from a `#` on.
#
# Versions: honcho 2.0.0, python-dotenv 1.2.4 (to compare), Python 3.11.
# Input: an .env file with a value of two words, a password and an address that hold a `#`. No quotes.
# Expected: as Foreman, whose port honcho is, and python-dotenv read it. The value is the rest of the line,
#   and a `#` in the middle of a word is a part of it. A shell keeps that `#` too.
# What happens: blanks vanish and join the words. The value ends at the first `#`. No warning is given.
# Who is hit: whoever runs the same .env file under honcho and under another tool. A password with a `#` is cut short,
#   so a process fails to log in under honcho only. Quotes help.
# Output seen:
#   NAME      honcho                  python-dotenv
#   TITLE     'Firstround'            'First round'
#   PASSWORD  's3cret'                's3cret#1'
#   PAGE      'http://example.org/a'  'http://example.org/a#b'
#   QUOTED    'a #b'                  'a #b'
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" honcho==2.0.0 python-dotenv==1.2.4
PYTHONPATH=$packages python3.11 - <<'PY'
import io

from dotenv import dotenv_values
from honcho import environ

FILE = """\
TITLE=First round
PASSWORD=s3cret#1
PAGE=http://example.org/a#b
QUOTED="a #b"
"""
honcho, dotenv = environ.parse(FILE), dotenv_values(stream=io.StringIO(FILE))
print(f"{'NAME':<9} {'honcho':<23} python-dotenv")
for name in honcho:
    print(f"{name:<9} {honcho[name]!r:<23} {dotenv[name]!r}")
assert honcho == {
    "TITLE": "Firstround",
    "PASSWORD": "s3cret",
    "PAGE": "http://example.org/a",
    "QUOTED": "a #b",
}, "changed"
PY
