#!/usr/bin/env bash
# Writes the packages of each image, with their hashes, to images/locks/. The versions are those of constraints.txt.
#   images/lock.sh UV [NAME…]       UV is the command `uv`
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1; shift
[ $# -gt 0 ] || set -- transcriber transcriber-gpu translator assessor vision speaker orchestrator gateway models

for name in "$@"; do
  case $name in
    vision) extra=vision-headless ;;
    *) extra=$name ;;
  esac
  excludes=()
  [ ! -f "images/excludes/$name.txt" ] || excludes=(--excludes "images/excludes/$name.txt")
  "$uv" pip compile pyproject.toml --extra "$extra" --constraints constraints.txt "${excludes[@]}" --generate-hashes \
    --no-build --python-version 3.11 --python-platform x86_64-manylinux_2_28 --no-annotate --no-header \
    --quiet --output-file "images/locks/$name.txt" >/dev/null
done
