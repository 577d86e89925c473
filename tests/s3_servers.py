"""Servers that speak S3, each in a process of its own: moto's, and LocalBucket where it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chassis.store import MediaStore, StoreSettings
from tests.server_containers import s3_url
from tests.waiting import PATIENCE_S

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKIAOFTHETESTS", "a-secret-of-the-tests"
PAGE_COUNT = 40
"""Keys on a page of moto's listings, so that a test of several pages is quick. S3 has 1,000."""

_MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_LOCALBUCKET = """
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path
from localbucket import S3Handler
S3Handler.data_root = Path(sys.argv[1])
server = ThreadingHTTPServer(("127.0.0.1", 0), S3Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@dataclass(frozen=True)
class S3Server:
    """A running server."""

    endpoint_url: str
    uploads_dir: Path | None
    """Where it keeps unfinished uploads. None: it is asked over HTTP."""

    def new_bucket(self) -> str:
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        httpx.put(f"{self.endpoint_url}/{name}", timeout=PATIENCE_S).raise_for_status()
        return name

    def unfinished_upload_count(self, bucket: str) -> int:
        if self.uploads_dir is not None:
            return len(list(self.uploads_dir.iterdir())) if self.uploads_dir.exists() else 0
        listing = httpx.get(f"{self.endpoint_url}/{bucket}?uploads", timeout=PATIENCE_S).raise_for_status()
        return listing.text.count("<UploadId>")

    def settings(self, endpoint_url: str | None = None, **more: Any) -> StoreSettings:
        """Return settings that reach this server, over another endpoint (a proxy) where one is given."""
        told: dict[str, Any] = {
            "endpoint_url": endpoint_url or self.endpoint_url,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            "allow_http": True,
        }
        return StoreSettings(**(told | more))

    def environment(self) -> dict[str, str]:
        """Return the variables with which a process reaches this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "STORE_ALLOW_HTTP": "true",
        }

    def store(self, bucket: str, endpoint_url: str | None = None, **more: Any) -> MediaStore:
        return MediaStore(f"s3://{bucket}/some/prefix", self.settings(endpoint_url, **more))


def has_localbucket() -> bool:
    return importlib.util.find_spec("localbucket") is not None


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """Run moto in a container where there is an engine, else in a process."""
    environment = {"MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE_COUNT)}
    with s3_url(environment) as contained:
        if contained is not None:
            yield S3Server(contained, None)
            return
    with _serving(_MOTO, environment) as port:
        yield S3Server(f"http://127.0.0.1:{port}", None)


@contextmanager
def localbucket_server(folder: Path) -> Iterator[S3Server]:
    with _serving(_LOCALBUCKET, {}, str(folder)) as port:
        yield S3Server(f"http://127.0.0.1:{port}", folder / ".localbucket-uploads")


@contextmanager
def _serving(program: str, environment: dict[str, str], *arguments: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)} | environment,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.strip(), "the S3 server did not start"
        yield int(line)
    finally:
        process.kill()
        process.communicate()
