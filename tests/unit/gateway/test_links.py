"""`POST /upload_json`: the original's checks, downloads that may not look inside, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import ForbiddenError, InterviewError, InvalidInputError, UnavailableError
from chassis.store import MediaStore
from gateway.downloads import Downloader, FetchedFile
from gateway.preparations import PENDING_PREFIX, Preparations
from gateway.uploads.links import LinkedAnswer, LinkedSession
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, Bench

pytestmark = pytest.mark.anyio

DRIVE = "https://drive.google.com/file/d/abc_DEF-1/view?usp=sharing"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def body(*interviews: Any, **root: Any) -> dict[str, Any]:
    data = {"candidate": {"name": "A"}, "reviewChecklists": {"interviews": list(interviews)}}
    return {"success": True, "data": data} | root


def interview(**values: Any) -> dict[str, Any]:
    return {"positionId": 1, "question": "Why?", "isVideoExist": True, "recordedVideoUrl": DRIVE} | values


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"data": {"x": 1}}, "Invalid JSON: missing success or data"),
        ({"success": True}, "Invalid JSON: missing success or data"),
        ([], "Invalid JSON: missing success or data"),
        ({"success": True, "data": {"candidate": {}}}, "Missing candidate name"),
        (body(), "Missing interviews data"),
        (
            {
                "success": True,
                "data": {"candidate": {"name": "A"}, "reviewChecklists": {"interviews": {"a": 1}}},
            },
            "Interviews array is empty",
        ),
        (body(interview(), language="xx"), "Invalid language: xx"),
        (body(*[interview()] * 6), "Too many videos"),
    ],
)
async def test_wrong_bodies_are_refused_in_the_originals_order(bench: Bench, sent: Any, message: str) -> None:
    reply = await bench.http.post("/upload_json", json=sent)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(message)


async def test_a_body_that_is_no_json_is_the_clients_fault(bench: Bench) -> None:
    reply = await bench.http.post("/upload_json", content=b"{nonsense")

    assert (reply.status_code, reply.json()["code"]) == (400, "JSON_INVALID")


class FakeDownloader(Downloader):
    """Hands out what it was told, when it was told."""

    def __init__(self, outcomes: dict[str, bytes | InterviewError]) -> None:
        super().__init__(max_bytes=1, timeout_s=1, drive_url="")
        self.outcomes = outcomes
        self.gate = asyncio.Event()

    async def fetch(self, link: str, path: Path) -> FetchedFile:
        await self.gate.wait()
        outcome = self.outcomes[link]
        if isinstance(outcome, InterviewError):
            raise outcome
        await asyncio.to_thread(path.write_bytes, outcome)
        return FetchedFile(".mp4", len(outcome), "d1gest")


class LinkBench:
    """Preparations with fakes."""

    def __init__(self, folder: Path, **outcomes: bytes | InterviewError) -> None:
        self.orchestrator = FakeOrchestrator()
        self.store = MediaStore((folder / "store").as_uri())
        self.downloader = FakeDownloader(dict(outcomes))
        self.preparations = self.another_process()

    def another_process(self) -> Preparations:
        return Preparations(self.orchestrator, self.store, self.downloader, max_concurrent_downloads=2)

    async def ended(self, session_id: str) -> None:
        async for _ in self.preparations.changes(session_id):
            pass


def linked(*urls: str, session_id: str = "1" * 32) -> LinkedSession:
    answers = tuple(LinkedAnswer(place, f"Q{place}", url) for place, url in enumerate(urls, start=1))
    return LinkedSession(session_id, "A", "en", answers)


async def test_a_failed_download_is_the_answers_own_and_the_others_go_on(tmp_path: Path) -> None:
    bench = LinkBench(tmp_path, good=MP4, gone=UnavailableError("404", reason="DOWNLOAD_FAILED"))
    session = linked("good", "gone")
    bench.downloader.gate.set()

    await bench.preparations.accept(session)
    await bench.ended(session.session_id)

    answers = bench.orchestrator.drafts[session.session_id].answers
    assert [answer.unavailable_reason for answer in answers] == ["", "DOWNLOAD_FAILED"]
    assert await bench.store.get_bytes(bench.store.key(answers[0].uri)) == MP4
    assert not await bench.store.list(PENDING_PREFIX)


async def test_rubrics_of_links_reach_the_session_through_a_restart(tmp_path: Path) -> None:
    bench = LinkBench(tmp_path, a=b"video", b=b"video")
    answers = (LinkedAnswer(1, "Q1", "a", rubric_id="technical"), LinkedAnswer(2, "Q2", "b"))
    session = LinkedSession("1" * 32, "A", "en", answers, rubric_id="behavioural")
    await bench.preparations.accept(LinkedSession.from_json(session.to_json()))
    bench.downloader.gate.set()
    await bench.ended(session.session_id)

    draft = bench.orchestrator.drafts[session.session_id]
    assert draft.rubric_id == "behavioural"
    assert [answer.rubric_id for answer in draft.answers] == ["technical", ""]


async def test_a_session_that_is_being_fetched_is_visible_and_survives_a_restart(tmp_path: Path) -> None:
    bench = LinkBench(tmp_path, good=MP4)
    session = linked("good")
    await bench.preparations.accept(session)
    await asyncio.sleep(0)

    seen = bench.preparations.view(session.session_id)
    await bench.preparations.aclose()
    elsewhere = await bench.another_process().stored_view(session.session_id)
    bench.preparations = bench.another_process()
    bench.downloader.gate.set()
    await bench.preparations.resume()
    await bench.ended(session.session_id)

    assert seen is not None and seen.state == "downloading"
    assert elsewhere is not None and elsewhere.state == "downloading"
    assert session.session_id in bench.orchestrator.drafts


async def test_a_refused_session_stays_visible_as_failed(tmp_path: Path) -> None:
    bench = LinkBench(tmp_path, good=MP4)
    bench.orchestrator.failure = InvalidInputError("No such rubric.", reason="SESSION_INVALID")
    bench.downloader.gate.set()

    await bench.preparations.accept(linked("good"))
    await bench.ended("1" * 32)

    view = await bench.preparations.stored_view("1" * 32)
    assert view is not None
    assert (view.state, view.message) == ("failed", "No such rubric.")


async def test_cancelling_a_download_leaves_nothing(tmp_path: Path) -> None:
    bench = LinkBench(tmp_path, good=MP4)
    await bench.preparations.accept(linked("good"))

    cancelled = await bench.preparations.cancel("1" * 32)

    assert cancelled is not None and cancelled.state == "cancelled"
    assert not await bench.store.list("")
    assert bench.preparations.view("1" * 32) is None


async def test_items_without_question_or_link_are_kept_with_their_reason(bench: Bench) -> None:
    items = (
        interview(question=""),
        interview(positionId=2, recordedVideoUrl=None),
        interview(positionId=3, isVideoExist=False),
        "odd",
    )

    async with bench.app.router.lifespan_context(bench.app):
        reply = await bench.http.post("/upload_json", json=body(*items))
        session_id = reply.json()["session_id"]
        async for _ in bench.gateway.preparations.changes(session_id):
            pass

    answers = bench.orchestrator.drafts[session_id].answers
    assert reply.json()["video_count"] == 4
    assert reply.json()["message"].startswith("JSON received.")
    assert [answer.unavailable_reason for answer in answers] == [
        "QUESTION_MISSING", "VIDEO_URL_MISSING", "VIDEO_URL_MISSING", "QUESTION_MISSING",
    ]  # fmt: skip
    assert [answer.position for answer in answers] == [1, 2, 3, 4]


async def test_a_session_that_is_being_fetched_has_a_state_but_no_result_yet(bench: Bench) -> None:
    await bench.store.put_bytes(f"{PENDING_PREFIX}/{'1' * 32}.json", linked("x").to_json())

    status = await bench.http.get(f"/status/{'1' * 32}")
    old_page = await bench.http.get(f"/status/{'1' * 32}", headers={"ngrok-skip-browser-warning": "true"})
    result = await bench.http.get(f"/results/{'1' * 32}")

    assert (status.json()["status"], status.json()["state"]) == ("uploading", "downloading")
    assert status.json()["message"] == "Downloading videos..."
    assert old_page.json()["status"] == "processing"
    assert (result.status_code, result.json()["code"]) == (409, "SESSION_NOT_FINISHED")


def downloader(addresses: Sequence[str], **values: Any) -> Downloader:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    settings: dict[str, Any] = {
        "max_bytes": 5_000,
        "timeout_s": 5.0,
        "drive_url": "https://drive.invalid/d",
    } | values
    return Downloader(resolve=resolve, **settings)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.9.9",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "::1",
        "fd00::1",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "100.64.0.1",
        "224.0.0.1",
    ],
)
async def test_links_into_private_networks_are_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(ForbiddenError) as caught:
        await downloader([address]).fetch("https://innocent.example/v.mp4", tmp_path / "v")

    assert caught.value.reason == "LINK_FORBIDDEN"


async def test_one_private_address_among_public_ones_is_enough_to_refuse(tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError):
        await downloader(["93.184.216.34", "127.0.0.1"]).fetch("https://mixed.example/", tmp_path / "v")


@pytest.mark.parametrize(
    "link",
    [
        "file:///etc/passwd",
        "ftp://a.example/x",
        "no link",
        "http://",
        "https://drive.google.com/drive/folders",
        "http://[bad",
    ],
)
async def test_what_is_no_link_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await downloader(["93.184.216.34"]).fetch(link, tmp_path / "v")

    assert caught.value.reason == "LINK_INVALID"


async def serve_once(response: bytes) -> tuple[asyncio.Server, str, list[bytes]]:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://files.example:{server.sockets[0].getsockname()[1]}", seen


def http_reply(content: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n" + headers + b"\r\n" + content


async def test_a_direct_link_is_fetched_from_the_address_that_was_checked(tmp_path: Path) -> None:
    server, url, seen = await serve_once(http_reply(MP4))
    async with server:
        fetched = await downloader(["127.0.0.1"], allow_private=True).fetch(
            f"{url}/a.bin?x=1", tmp_path / "v"
        )

    assert (tmp_path / "v").read_bytes() == MP4
    assert (fetched.extension, fetched.size_bytes) == (".mp4", len(MP4))
    assert b"GET /a.bin?x=1" in seen[0]
    assert f"Host: {url[7:]}".encode() in seen[0]


async def test_a_drive_share_link_is_turned_into_its_download(tmp_path: Path) -> None:
    server, url, seen = await serve_once(http_reply(MP4))
    async with server:
        fetcher = downloader(["127.0.0.1"], allow_private=True, drive_url=f"{url}/download")
        await fetcher.fetch(DRIVE, tmp_path / "v")

    assert b"GET /download?id=abc_DEF-1&export=download&confirm=t" in seen[0]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http_reply(b"<html>Please sign in" + b" " * 100), "NOT_A_VIDEO"),
        (http_reply(b"", b"404 Not Found"), "DOWNLOAD_FAILED"),
        (http_reply(MP4 + b"\x00" * 9_000), "FILE_TOO_LARGE"),
        (http_reply(b"", b"302 Found", b"Location: file:///etc/passwd\r\n"), "LINK_INVALID"),
        (http_reply(b"", b"302 Found", b"Location: /again\r\n"), "DOWNLOAD_FAILED"),
        (b"nonsense\r\n\r\n", "DOWNLOAD_FAILED"),
    ],
)
async def test_downloads_that_end_badly_say_so(tmp_path: Path, reply: bytes, reason: str) -> None:
    server, url, _ = await serve_once(reply)
    async with server:
        with pytest.raises(InterviewError) as caught:
            await downloader(["127.0.0.1"], allow_private=True).fetch(url, tmp_path / "v")

    assert caught.value.reason == reason
