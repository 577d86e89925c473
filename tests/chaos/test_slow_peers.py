"""More slow links and slow senders than there are places: others get their turn within a bound."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from interview.v1 import orchestrator_pb2
from tests.chaos.gateways import BOUNDARY, body, gateway
from tests.chaos.link_host import DRIPPING, QUICK, SILENT, link_host
from tests.chaos.processes import Process, until
from tests.chaos.system import System, system
from tests.chaos.tally import Row

pytestmark = pytest.mark.chaos

STALL_S = 2.0
"""By it a slow link or sender is told. One that is let be holds its place for minutes."""
SLOW_COUNT = 8
QUICK_COUNT = 4
PLACE_COUNT = 4
BODY_BYTES = 50_000_000


def linked(url: str) -> orchestrator_pb2.CreateSessionRequest:
    """Return a session of one answer that is to be fetched."""
    session_id = uuid.uuid4().hex
    answer = orchestrator_pb2.AnswerInput(link=f"{url}?{session_id}", question=session_id)
    return orchestrator_pb2.CreateSessionRequest(session_id=session_id, answers=[answer])


def test_links_that_are_slow_hold_no_place_for_long_however_many_they_are(
    tmp_path: Path, row: Callable[[str], Row]
) -> None:
    scenario = row(f"SQLite: {SLOW_COUNT} slow links on {PLACE_COUNT} places, then {QUICK_COUNT} quick ones")
    with system(tmp_path, scenario) as made, link_host((tmp_path / "recording.mp4").read_bytes()) as host:
        made.orchestrator(
            "local",
            ORCHESTRATOR_ALLOW_PRIVATE_LINKS="true",
            ORCHESTRATOR_FETCH_COUNT=str(PLACE_COUNT),
            ORCHESTRATOR_FETCH_STALL_S=str(STALL_S),
        ).up()
        slow = [linked(host.url + (DRIPPING if n % 2 else SILENT)) for n in range(SLOW_COUNT)]
        quick = [linked(host.url + QUICK) for _ in range(QUICK_COUNT)]
        made.submit_all(slow)
        until(lambda: host.asked, "nobody asks for a link")
        begin_s = time.monotonic()
        made.submit_all(quick)
        uploaded = made.submit(1)
        # There are two slow ones for each place, and each may be silent twice.
        until(lambda: all(made.ended(one.session_id) for one in quick), "a quick link waits for slow ones")
        scenario.waited_s = round(time.monotonic() - begin_s, 1)
        made.account(all_completed=False)
        ends = [made.session(one.session_id) for one in slow]
        reasons = {end.reason for end in ends if end is not None}
        asked = [host.asked[one.answers[0].link.removeprefix(host.url)] for one in slow]

        assert reasons == {"DOWNLOAD_TOO_SLOW"}
        assert set(asked) <= {1, 2}, asked
        assert scenario.completed == QUICK_COUNT + len(uploaded)


@contextmanager
def dripping(process: Process, address: str) -> Iterator[None]:
    """Send an upload byte by byte, again and again, from an address of this machine's own."""
    over = threading.Event()
    content_type = f"multipart/form-data; boundary={BOUNDARY}"
    head = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    head += f"Content-Length: {BODY_BYTES}\r\n\r\n"

    def send() -> None:
        while not over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", process.port), 5, (address, 0)) as peer,
            ):
                peer.sendall(head.encode())
                for byte in next(body(bytes(1000))):
                    peer.sendall(bytes([byte]))
                    if over.wait(0.1):
                        return
            over.wait(0.2)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_senders_that_are_slow_hold_no_place_for_long_however_many_they_are(
    tmp_path: Path, row: Callable[[str], Row]
) -> None:
    scenario = row(f"SQLite: {SLOW_COUNT} senders that drip on {PLACE_COUNT} upload places")
    with system(tmp_path, scenario) as made, ExitStack() as senders:
        made.orchestrator("local").up()
        process = gateway(
            made,
            GATEWAY_UPLOAD_WINDOW_S=str(STALL_S),
            GATEWAY_MAX_CONCURRENT_UPLOADS=str(PLACE_COUNT),
        ).up()
        for n in range(SLOW_COUNT):  # Two a client, so that all places are theirs.
            senders.enter_context(dripping(process, f"127.0.0.{10 + n // 2}"))
        until(lambda: refused(process), "the slow ones never held all places")
        begin_s = time.monotonic()
        recording = (tmp_path / "recording.mp4").read_bytes()
        until(lambda: uploaded(made, process, recording), "nobody gets a place beside the slow ones")
        scenario.waited_s = round(time.monotonic() - begin_s, 1)
        senders.close()
        made.account()
        until(lambda: not list((tmp_path / "spool").iterdir()), "what arrived in part stays in the spool")


def _upload(process: Process, content: Iterator[bytes]) -> httpx.Response | None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    try:
        return httpx.post(f"http://{process.address}/upload", content=content, headers=headers, timeout=60)
    except httpx.HTTPError:
        return None


def refused(process: Process) -> bool:
    """Tell whether an upload is told that all places are taken."""
    reply = _upload(process, body(b"no recording"))
    return reply is not None and reply.status_code == 503


def uploaded(made: System, process: Process, recording: bytes) -> bool:
    """Try to upload a recording."""
    reply = _upload(process, body(recording))
    if reply is None or reply.status_code == 503:
        return False
    assert reply.status_code == 200, reply.text
    made.accepted.append(str(reply.json()["session_id"]))
    return True
