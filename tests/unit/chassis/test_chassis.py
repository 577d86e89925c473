"""Settings, the model catalogue, the store and the logs."""

from __future__ import annotations

import json
import logging
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from chassis.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
from chassis.models import catalogue, locate
from chassis.settings import ServiceSettings, SettingsError, load_settings
from chassis.store import MediaStore
from chassis.telemetry import JsonFormatter, request_id
from cli.fetching.fetch import fetch


class ProbeSettings(ServiceSettings):
    """Settings of a process that exists in this test only."""

    model_config = SettingsConfigDict(env_prefix="PROBE_")

    port: int = 50099
    api_key: str = ""


def test_settings_come_from_prefixed_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_PORT", "1234")
    monkeypatch.setenv("PROBE_MEDIA_URI_PREFIXES", '["file:///data/"]')

    settings = load_settings(ProbeSettings)

    assert (settings.port, settings.media_uri_prefixes) == (1234, ("file:///data/",))


def test_all_wrong_settings_are_named_in_one_message_without_their_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROBE_PORT", "a-secret-by-mistake")
    monkeypatch.setenv("PROBE_WORKER_COUNT", "0")

    with pytest.raises(SettingsError) as caught:
        load_settings(ProbeSettings)

    assert "PROBE_PORT" in str(caught.value)
    assert "PROBE_WORKER_COUNT" in str(caught.value)
    assert "a-secret-by-mistake" not in str(caught.value)


@pytest.mark.parametrize("value", ["a-secret-by-mistake", "", "['file:///data/']"])
def test_a_list_that_is_no_json_is_told_with_its_variable_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PROBE_MEDIA_URI_PREFIXES", value)

    with pytest.raises(SettingsError, match=r"PROBE_MEDIA_URI_PREFIXES: .*JSON") as caught:
        load_settings(ProbeSettings)

    assert not value or value not in str(caught.value)


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "probe_api_key").write_text("from-file")
    monkeypatch.setenv("INTERVIEW_SECRETS_DIR", str(tmp_path))

    assert load_settings(ProbeSettings).api_key == "from-file"


def test_the_catalogue_pins_every_file_that_has_a_package() -> None:
    for entry in catalogue().values():
        assert entry.files
        for file in entry.files:
            assert file.packages is None or (len(file.sha256) == 64 and file.size_bytes > 0)
            assert file.packages is None or len(file.packages.requirements) == len(file.packages.members)


def test_a_missing_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError) as caught:
        locate("whisper-tiny.en", tmp_path)

    assert caught.value.reason == "MODEL_MISSING"
    assert "interview models fetch whisper-tiny.en" in caught.value.message


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "smollm2-135m" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    target.parent.mkdir()
    target.write_bytes(b"not the model")

    with pytest.raises(PreconditionError) as caught:
        locate("smollm2-135m", tmp_path)

    assert caught.value.reason == "MODEL_CORRUPT"


def test_an_unknown_model_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        locate("whisper-gigantic", tmp_path)

    assert caught.value.reason == "MODEL_UNKNOWN"
    assert "whisper-base" in caught.value.message


def test_a_model_of_the_operators_own_is_found_by_path(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")

    model = locate(str(tmp_path), tmp_path)

    assert model.path == tmp_path / "model.bin"
    assert len(model.digest) == 64


def test_a_file_that_no_source_has_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(UnavailableError) as caught:
        fetch(["whisper-large-v3"], tmp_path)

    assert caught.value.reason == "MODEL_FETCH_FAILED"


def test_a_wrong_file_in_the_given_folder_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    (tmp_path / "source" / "face-landmarker").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "source" / "face-landmarker" / "face_landmarker.task", "w") as bundle:
        bundle.writestr("face_detector.tflite", b"x")

    with pytest.raises(UnavailableError):
        fetch(["face-landmarker"], tmp_path / "models", source_dir=tmp_path / "source")

    assert not (tmp_path / "models" / "face-landmarker" / "face_landmarker.task").exists()


@pytest.mark.anyio
async def test_the_store_gives_back_what_was_put(tmp_path: Path) -> None:
    store = MediaStore((tmp_path / "a b").as_uri())
    await store.put_bytes("sessions/1/media/1.mp4", b"0123456789")

    assert await store.get_bytes("sessions/1/media/1.mp4") == b"0123456789"
    assert [block async for block in store.read_range("sessions/1/media/1.mp4", 2, 5)] == [b"234"]
    assert await store.size_bytes("sessions/1/media/1.mp4") == 10
    assert store.key(store.uri("sessions/1/media/1.mp4")) == "sessions/1/media/1.mp4"
    assert [item.key for item in await store.list("sessions/1")] == ["sessions/1/media/1.mp4"]


@pytest.mark.anyio
async def test_deleting_a_session_leaves_nothing_and_touches_no_neighbour(tmp_path: Path) -> None:
    store = MediaStore(tmp_path.as_uri())
    await store.put_bytes("sessions/1/media/1.mp4", b"a")
    await store.put_bytes("sessions/10/media/1.mp4", b"b")

    await store.delete_prefix("sessions/1")

    assert [item.key for item in await store.list("sessions")] == ["sessions/10/media/1.mp4"]
    assert not (tmp_path / "sessions" / "1").exists()


@pytest.mark.anyio
async def test_an_object_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await MediaStore(tmp_path.as_uri()).get_bytes("none")


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "s3://other/key", "{root}/../secret", "{root}x/1"])
def test_a_uri_outside_the_store_is_forbidden(tmp_path: Path, uri: str) -> None:
    root = tmp_path / "store"

    with pytest.raises(ForbiddenError):
        MediaStore(root.as_uri()).key(uri.format(root=root.as_uri()))


def test_a_log_line_is_json_with_the_requests_id() -> None:
    request_id.set("abc")
    record = logging.makeLogRecord({"name": "x", "msg": "call", "levelname": "INFO", "duration_s": 1.5})

    entry = json.loads(JsonFormatter().format(record))

    assert (entry["message"], entry["request_id"], entry["duration_s"]) == ("call", "abc", 1.5)
    assert datetime.fromisoformat(entry["time"]).utcoffset() == timedelta(0)


def test_no_value_begins_a_second_log_line() -> None:
    forged = 'x\n{"level": "INFO", "message": "forged"}\r\u2028\u0085\u009b2J\ud800'
    record = logging.makeLogRecord({"name": "x", "msg": forged, "levelname": "INFO", "reason": forged})

    line = JsonFormatter().format(record)

    assert line.splitlines() == [line]
    assert line.isprintable()
    assert json.loads(line)["message"] == json.loads(line)["reason"] == forged
