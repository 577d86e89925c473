#!/usr/bin/env bash
# Builds images: with buildx all at once, as docker-bake.hcl has them, else one after the other.
#   images/build.sh [NAME…]       without names all but transcriber-gpu
# INTERVIEW_IMAGE_PREFIX, INTERVIEW_IMAGE_TAG, BASE_IMAGE and SOURCE (the repository's address) may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
export VERSION REVISION
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml | head -1)
REVISION=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
[ -z "$(git status --porcelain 2>/dev/null)" ] || REVISION=$REVISION-changed
export INTERVIEW_IMAGE_PREFIX=${INTERVIEW_IMAGE_PREFIX:-interview} INTERVIEW_IMAGE_TAG=${INTERVIEW_IMAGE_TAG:-$VERSION}
[ $# -gt 0 ] || set -- transcriber translator assessor vision speaker orchestrator gateway models

if docker buildx version >/dev/null 2>&1; then
  exec docker buildx bake --file docker-bake.hcl --load "$@"
fi
for name in "$@"; do
  case $name in
    transcriber-gpu) folder=services/transcriber ;;
    orchestrator | gateway) folder=$name ;;
    models) folder=cli ;;
    *) folder=services/$name ;;
  esac
  arguments=(--build-arg "VERSION=$VERSION" --build-arg "REVISION=$REVISION" --build-arg "SOURCE=${SOURCE:-unknown}"
    --build-arg "BASE_IMAGE=${BASE_IMAGE:-python:3.11-slim}")
  [ "$name" != transcriber-gpu ] || arguments+=(--build-arg IMAGE=transcriber-gpu)
  docker build "${arguments[@]}" -f "$folder/Dockerfile" -t "$INTERVIEW_IMAGE_PREFIX/$name:$INTERVIEW_IMAGE_TAG" .
done
