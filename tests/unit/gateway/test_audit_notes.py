"""What the gateway brings to the audit log: recordings handed out, keys refused, keys changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chassis import api_keys
from chassis.errors import InvalidInputError, UnavailableError
from chassis.key_file import changing
from gateway.audit_notes import MAX_SENT_COUNT, MAX_WAITING_COUNT, REPEAT_S, AuditNotes
from tests.audit_lines import chain, head_of
from tests.fakes.orchestrator import FakeAuditLog
from tests.gateway_bench import MP4, Bench, api_key, form, listening, videos

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = {"X-API-Key": "s3cret"}
AWAY = UnavailableError("It is away.", reason="ORCHESTRATOR_UNAVAILABLE")


def told(log: FakeAuditLog) -> list[tuple[str, str, str, int]]:
    return [(note.action, note.outcome, note.who, count) for note, count in log.notes]


async def uploaded(bench: Bench) -> str:
    reply = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEY)
    return str(reply.json()["session_id"])


async def test_a_recording_that_is_read_in_pieces_is_one_note(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret", "ana", group="hr"),))
    session_id = await uploaded(bench)

    for first in range(20):
        headers = KEY | {"Range": f"bytes={first}-{first + 9}"}
        assert (await bench.http.get(f"/media/{session_id}/1", headers=headers)).status_code == 206
    refused = [
        await bench.http.get(f"/media/{session_id}/1", headers=KEY | {"Range": "bytes=9999-"}),
        await bench.http.get(f"/media/{session_id}/2", headers=KEY),
        await bench.http.head(f"/media/{session_id}/1", headers=KEY),
    ]
    await bench.gateway.audit.send()

    assert [reply.status_code for reply in refused] == [416, 404, 200]
    ((note, count),) = bench.orchestrator.audit.notes
    assert (note.action, note.session_id, note.who, note.group, count) == (
        "media.read", session_id, "key:ana", "hr", 20,
    )  # fmt: skip
    assert note.details == (("position", "1"),)


async def test_an_address_is_not_written_down(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    session_id = await uploaded(bench)
    await bench.http.get(f"/media/{session_id}/1")
    await bench.gateway.audit.send()

    assert told(bench.orchestrator.audit) == [("media.read", "ok", "anonymous", 1)]


async def test_wrong_keys_are_counted_and_nobody_without_one_is_noted(tmp_path: Path) -> None:
    keys = (api_key("s3cret", "ana", scopes=("read",)),)
    bench = Bench(tmp_path, api_keys=keys, rate_limit_wrong_keys="20/minute")
    for number in range(50):
        await bench.http.get("/sessions", headers={"X-API-Key": f"guess-{number}"})
    await bench.http.get("/sessions")
    await bench.http.get("/sessions", headers=KEY)
    await bench.gateway.audit.send()

    assert sorted(told(bench.orchestrator.audit)) == [
        ("key.refused", "API_KEY_INVALID", "", 20),
        ("key.refused", "TOO_MANY_WRONG_KEYS", "", 30),
        ("key.refused", "TOO_MANY_WRONG_KEYS", "key:ana", 1),
    ]


async def test_a_changed_file_of_keys_is_told_by_names_and_digest(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"

    def change(make: Callable[..., Any], *names: str, **values: Any) -> None:
        with changing(file) as kept:
            for name in names:
                made = make(kept.book, name, now=NOW, **values)
                kept.book = made if make is api_keys.revoked else made[0]

    change(api_keys.created, "ana", "ben", scopes=("read",))
    bench = Bench(tmp_path, keys_file=file, keys_reload_s=0)
    change(api_keys.created, "eve", scopes=("read",))
    await bench.http.get("/sessions")
    change(api_keys.revoked, "ana")
    await bench.http.get("/sessions")
    file.touch()
    await bench.http.get("/sessions")
    file.unlink()
    await bench.http.get("/sessions")
    await bench.gateway.audit.send()

    notes = [(note.action, dict(note.details)) for note, _ in bench.orchestrator.audit.notes]
    digests = [details.pop("digest") for _, details in notes]
    assert len(set(digests)) == 4 and all(len(digest) == 64 for digest in digests)
    assert notes == [
        ("keys.read", {"key_count": "2"}),
        ("keys.changed", {"key_count": "3", "added": "eve"}),
        ("keys.changed", {"key_count": "3", "revoked": "ana"}),
        ("keys.changed", {"key_count": "0", "removed": "ana ben eve"}),
    ]


async def test_many_changed_keys_fit_into_one_note(tmp_path: Path) -> None:
    log = FakeAuditLog()
    notes, book = AuditNotes(lambda: log), api_keys.KeyBook()
    for number in range(100):
        book, _ = api_keys.created(book, f"{number:03}" + "n" * 90, now=NOW, scopes=("read",))
    notes.keys_read(api_keys.KeyBook(), book)
    await notes.send()

    added = dict(log.notes[0][0].details)["added"]
    assert len(added) <= 2_000 and added.endswith("more")


async def test_notes_wait_for_an_orchestrator_that_is_away_and_are_bounded() -> None:
    log, now_s = FakeAuditLog(), [0.0]
    notes = AuditNotes(lambda: log, clock=lambda: now_s[0])
    log.failure = AWAY
    for number in range(MAX_WAITING_COUNT + 7):
        notes.media_read(f"{number:032x}", 1)
    with pytest.raises(UnavailableError):
        await notes.send()
    notes.media_read(f"{0:032x}", 1)
    log.failure = None
    await notes.send()

    assert len(log.notes) == MAX_WAITING_COUNT + 1
    assert {(note.action, count) for note, count in log.notes if count > 1} == {
        ("notes.dropped", 7),
        ("media.read", 2),
    }
    notes.media_read(f"{0:032x}", 1)
    await notes.send()
    assert len(log.notes) == MAX_WAITING_COUNT + 1, "a repeat waits for the end of its minute"
    now_s[0] += REPEAT_S
    await notes.send()
    assert len(log.notes) == MAX_WAITING_COUNT + 2


async def test_notes_that_are_refused_keep_no_others_from_the_log() -> None:
    log = FakeAuditLog()
    notes = AuditNotes(lambda: log)
    log.failure = InvalidInputError("Correct it.", reason="AUDIT_NOTE_INVALID")
    for number in range(MAX_SENT_COUNT + 1):
        notes.media_read(f"{number:032x}", 1)
    await notes.send()
    log.failure = None
    notes.key_refused("API_KEY_INVALID", "")
    await notes.send()

    assert told(log) == [("key.refused", "API_KEY_INVALID", "", 1)]


def test_notes_are_sent_while_it_serves_and_at_its_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with listening(bench.app):
        bench.gateway.audit.key_refused("API_KEY_INVALID", "")
    assert told(bench.orchestrator.audit) == [("key.refused", "API_KEY_INVALID", "", 1)]


async def test_pages_of_the_log_are_lines_and_tell_where_the_next_one_begins(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret", scopes=("admin",)),))
    bench.orchestrator.audit.lines = lines = chain(5)

    pages = [await bench.http.get(f"/audit?after={after}&limit=3", headers=KEY) for after in (0, 3, 5)]
    head = await bench.http.get("/audit/head", headers=KEY)

    assert [page.text for page in pages] == [
        "".join(f"{line}\n" for line in part) for part in (lines[:3], lines[3:], [])
    ]
    assert [page.headers.get("X-Last-Seq") for page in pages] == ["3", "5", None]
    assert {page.headers["Cache-Control"] for page in (*pages, head)} == {"no-store"}
    assert (head.json()["seq"], head.json()["hash"]) == (5, head_of(lines).hash)
    schema = bench.app.openapi()["components"]["schemas"]["AuditRecord"]
    for line in lines:
        jsonschema.validate(json.loads(line), schema | {"additionalProperties": False})
    for wrong in ("after=-1", "limit=0", "limit=1001", f"after={2**63}"):
        assert (await bench.http.get(f"/audit?{wrong}", headers=KEY)).json()["code"] == "REQUEST_INVALID"
