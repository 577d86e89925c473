"""URIs as nobody should send them, at the store: each is a file inside it, or refused by name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.errors import ForbiddenError
from chassis.store import MediaStore
from tests.fuzzing import ODD_KEYS, URIS, thoroughly

REMOTE = "s3://bucket/prefix"
ENDINGS = st.one_of(st.sampled_from(ODD_KEYS), st.text(max_size=20).map(lambda text: "/" + text))


@pytest.mark.parametrize("uri", [*URIS, "file:///etc/hostname\x00", "file://[::1", "file:////etc/passwd"])
@pytest.mark.parametrize("remote", [False, True])
def test_a_uri_of_elsewhere_or_of_no_sense_is_forbidden(tmp_path: Path, uri: str, remote: bool) -> None:
    store = MediaStore(REMOTE if remote else tmp_path.as_uri())

    with pytest.raises(ForbiddenError) as caught:
        store.key(uri)
    assert caught.value.reason == "MEDIA_URI_FORBIDDEN"


@pytest.mark.parametrize("ending", ["", "/", "/.", "/%00", "/a%0Ab", "/..", "/" + "a" * 300, "/a" * 600])
@pytest.mark.parametrize("remote", [False, True])
def test_what_can_be_no_object_is_forbidden_too(tmp_path: Path, ending: str, remote: bool) -> None:
    root = REMOTE if remote else tmp_path.as_uri()
    if remote:
        ending = ending.replace("%00", "\x00").replace("%0A", "\n")

    with pytest.raises(ForbiddenError):
        MediaStore(root).key(root + ending)


@thoroughly(100)
@given(ending=ENDINGS)
@example(ending="/é")
@example(ending="/a//b")
def test_whatever_is_asked_for_is_a_size_or_nothing_or_forbidden(tmp_path: Path, ending: str) -> None:
    store = MediaStore(tmp_path.as_uri())
    try:
        key = store.key(tmp_path.as_uri() + ending)
    except ForbiddenError:
        return
    local = store.local_path(key)

    assert local is not None
    assert local.resolve().is_relative_to(tmp_path.resolve())
    assert asyncio.run(store.size_bytes(key)) is None
