#!/usr/bin/env bash
# FastAPI and openapi-python-client: a file to upload becomes a text in the generated client, and the server refuses it.
#
# Versions: fastapi 0.165.0, openapi-python-client 0.29.1, python-multipart 0.0.34, httpx 0.28.1, Python 3.11.
# Input: an endpoint with one `UploadFile`, the OpenAPI 3.1 document that FastAPI makes of it, and the client that is generated
#   from that. Six bytes are uploaded.
# Expected: the client takes a file and sends it, as it does with the documents of older FastAPI versions.
# What happens: FastAPI marks the file as the OpenAPI 3.1 standard has it (`contentMediaType`). The generator knows the older
#   mark alone (`format: binary`), and takes the file for a `str`. It generates without a warning. What is uploaded is sent as a
#   field of text, bytes as `b'...'` with the quotes in it, and FastAPI answers 422.
#   With `format: binary` put beside it in the document, the same upload works. It is known upstream as change 1418 of the generator.
# Who is hit: whoever gives clients an upload by way of FastAPI's document. Other generators do the same (ng-openapi-gen, issue 403).
# Output seen:
#   FastAPI's document:     file: str, upload answered 422
#   with `format: binary`:  file: File, upload answered 200, 6 bytes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastapi==0.165.0 openapi-python-client==0.29.1 \
    python-multipart==0.0.34 httpx==0.28.1
cat > "$folder/show.py" <<'PY'
import asyncio
import importlib
import json
import subprocess
import sys
from pathlib import Path

import httpx
from fastapi import FastAPI, UploadFile

CONTENT = bytes([0, 255, 1, 254, 2, 253])
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
(folder / "told.json").write_text('{"post_hooks": []}')
app = FastAPI()


@app.post("/upload", operation_id="upload")
async def upload(file: UploadFile) -> dict[str, int]:
    return {"size": len(await file.read())}


def generate(name, document):
    (folder / f"{name}.json").write_text(json.dumps(document))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--config", "told.json"]
    command += ["--path", f"{name}.json", "--output-path", name]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert "arning" not in done.stdout + done.stderr, done.stdout
    return importlib.import_module(f"{name}.models").BodyUpload, importlib.import_module(f"{name}.types").File


async def send(body):
    """Send what the generated client makes of a body to the application."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://example.org") as client:
        return await client.post("/upload", files=body.to_multipart())


def shown(kind, answer):
    size = f", {answer.json()['size']} bytes" if answer.status_code == 200 else ""
    return f"file: {kind}, upload answered {answer.status_code}{size}"


document = app.openapi()
given, _ = generate("given", document)
plain = given.__annotations__["file"], asyncio.run(send(given(file=CONTENT)))
document["components"]["schemas"]["Body_upload"]["properties"]["file"]["format"] = "binary"
marked, file_type = generate("marked", document)
with open(folder / "recording", "w+b") as payload:
    payload.write(CONTENT)
    payload.seek(0)
    body = marked(file=file_type(payload=payload, file_name="answer.webm"))
    both = marked.__annotations__["file"], asyncio.run(send(body))
print("FastAPI's document:    ", shown(*plain))
print("with `format: binary`: ", shown(*both))
assert plain[0] == "str" and plain[1].status_code == 422, "changed"
assert both[0] == "File" and both[1].json() == {"size": len(CONTENT)}, "changed"
PY
"$folder/venv/bin/python" "$folder/show.py" "$folder"
