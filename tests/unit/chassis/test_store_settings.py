"""Settings of an S3 store: from variables or files, and no secret is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chassis.errors import InvalidInputError
from chassis.store import MediaStore, StoreSettings
from chassis.store.settings import load_store_settings

SECRET = "a-secret-of-the-tests"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this machine's own variables."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "STORE_"))]:
        monkeypatch.delenv(name)


def test_the_names_that_every_client_knows_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://minio.internal:9000")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("STORE_PATH_STYLE", "false")

    settings = load_store_settings()

    assert (settings.endpoint_url, settings.region) == ("https://minio.internal:9000", "eu-central-1")
    assert settings.access_key_id == "AKIA"
    assert settings.secret_access_key is not None
    assert settings.secret_access_key.get_secret_value() == SECRET
    assert not settings.path_style
    assert SECRET not in repr(settings)


def test_credentials_may_be_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "AWS_ACCESS_KEY_ID").write_text("AKIA")
    (tmp_path / "AWS_SECRET_ACCESS_KEY").write_text(SECRET)
    monkeypatch.setenv("INTERVIEW_SECRETS_DIR", str(tmp_path))

    settings = load_store_settings()

    assert settings.access_key_id == "AKIA"
    assert settings.secret_access_key is not None
    assert settings.secret_access_key.get_secret_value() == SECRET


def test_a_part_gets_the_time_that_the_least_rate_gives_it() -> None:
    settings = StoreSettings(part_bytes=8 << 20, put_count=4, least_bytes_per_s=256 << 10)

    assert settings.transfer_timeout_s == 128
    assert StoreSettings(least_bytes_per_s=1 << 40).transfer_timeout_s == settings.request_timeout_s


def test_wrong_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PART_BYTES", SECRET)

    with pytest.raises(InvalidInputError) as caught:
        MediaStore("s3://bucket/prefix")

    assert caught.value.reason == "STORE_SETTINGS_INVALID"
    assert "STORE_PART_BYTES" in caught.value.message
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("url", ["s3://", "s3://bucket", "s3://bucket/", "s3://bucket/a/b/"])
def test_a_bucket_is_needed_and_a_prefix_is_not(url: str) -> None:
    if url == "s3://":
        with pytest.raises(InvalidInputError) as caught:
            MediaStore(url)
        assert caught.value.reason == "STORE_SETTINGS_INVALID"
    else:
        store = MediaStore(url)
        assert store.key(store.uri("sessions/1")) == "sessions/1"


def test_a_ca_file_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        MediaStore("s3://bucket", StoreSettings(ca_file=tmp_path / "none.pem"))

    assert caught.value.reason == "STORE_SETTINGS_INVALID"
