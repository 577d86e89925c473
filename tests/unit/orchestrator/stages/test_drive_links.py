"""Google Drive: its share links, the page before a large file, and the page of one asked for too often."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.client import is_transient
from chassis.errors import InterviewError, InvalidInputError
from orchestrator.links.drive_links import MAX_PAGE_BYTES, direct_link
from tests.gateway_bench import MP4
from tests.link_server import LinkServer, downloader, fetch, http_reply, page, replying

pytestmark = pytest.mark.anyio

SHARED = "https://drive.google.com/file/d/abc_DEF-1/view?usp=sharing"
HANDED_OUT = "https://drive.usercontent.google.com/download"
ASKED = "/download?id=abc_DEF-1&export=download&confirm=t"

VIRUS_PAGE = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<p class="uc-warning-subcaption"><span class="uc-name-size"><a href="/open?id=abc">v.mp4</a> (95M)</span></p>
<form id="download-form" action="{action}" method="get">
<input type="submit" id="uc-download-link" class="goog-inline-block" value="Download anyway"/>
<input type="hidden" name="id" value="abc_DEF-1"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="11-22-33"></form>"""
OLD_VIRUS_PAGE = """<html><a id="uc-download-link" class="jfk-button"
href="/uc?export=download&amp;confirm=Xy_9&amp;id=abc_DEF-1">Download anyway</a></html>"""
QUOTA_PAGE = """<html><head><title>Google Drive - Quota exceeded</title></head><body>
<p class="uc-error-caption">Sorry, you can't view or download this file at this time.</p>
<p class="uc-error-subcaption">Too many
users have viewed or downloaded this file recently. Please try accessing it again later.</p></body></html>"""
SIGN_IN_PAGE = '<html><form action="/signin"><input name="identifier"></form></html>'


@pytest.mark.parametrize(
    "link",
    [
        "https://drive.google.com/file/d/abc_DEF-1/view?usp=sharing",
        "https://drive.google.com/file/d/abc_DEF-1",
        "https://drive.google.com/file/u/1/d/abc_DEF-1/edit",
        "https://drive.google.com/a/example.org/file/d/abc_DEF-1/preview",
        "http://drive.google.com/open?id=abc_DEF-1",
        "https://drive.google.com/uc?id=abc_DEF-1&export=download",
        "https://docs.google.com/uc?export=open&id=abc_DEF-1",
        "https://drive.usercontent.google.com/download?id=abc_DEF-1&confirm=x&uuid=y",
        "HTTPS://DRIVE.GOOGLE.COM/open?id=abc_DEF-1",
    ],
)
def test_every_form_of_a_share_link_leads_to_the_file(link: str) -> None:
    assert str(direct_link(link, HANDED_OUT)) == f"{HANDED_OUT}?id=abc_DEF-1&export=download&confirm=t"


def test_the_key_of_an_old_share_link_is_handed_on() -> None:
    link = direct_link("https://drive.google.com/file/d/abc/view?resourcekey=0-K_y", HANDED_OUT)

    assert link.params["resourcekey"] == "0-K_y"


@pytest.mark.parametrize(
    "link",
    [
        "https://drive.google.com/drive/folders/abc",
        "https://drive.google.com/drive/u/0/folders/abc?usp=sharing",
        "https://drive.google.com/folderview?id=abc",
        "https://drive.google.com/drive/my-drive",
    ],
)
def test_a_folder_is_called_one(link: str) -> None:
    with pytest.raises(InvalidInputError, match="folder") as caught:
        direct_link(link, HANDED_OUT)

    assert caught.value.reason == "LINK_INVALID"


@pytest.mark.parametrize(
    "link",
    [
        "https://drive.google.com/",
        "https://drive.google.com/open?id=",
        "https://drive.google.com/open?id=../../x",
        "https://drive.google.com/file/d/a%2Fb/view",
        "https://docs.google.com/document/d/abc/edit",
    ],
)
def test_a_link_to_drive_without_a_file_is_a_bad_link(link: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        direct_link(link, HANDED_OUT)

    assert caught.value.reason == "LINK_INVALID"


async def fetched(tmp_path: Path, files: LinkServer, link: str = SHARED) -> None:
    await fetch(downloader(drive_url=f"{files.url}/download"), link, tmp_path / "v")


async def failed(tmp_path: Path, *replies: bytes) -> tuple[InterviewError, list[str]]:
    async with replying(*replies) as files:
        with pytest.raises(InterviewError) as caught:
            await fetched(tmp_path, files)
    return caught.value, files.paths


async def test_a_share_link_is_turned_into_its_download(tmp_path: Path) -> None:
    async with replying(http_reply(MP4)) as files:
        await fetched(tmp_path, files)

    assert files.paths == [ASKED]


@pytest.mark.parametrize("action", ["", "/download", "/elsewhere"])
async def test_the_page_before_a_large_file_is_confirmed(tmp_path: Path, action: str) -> None:
    async with replying(page(VIRUS_PAGE.format(action=action)), http_reply(MP4)) as files:
        await fetched(tmp_path, files)

    assert (tmp_path / "v").read_bytes() == MP4
    confirmed = "id=abc_DEF-1&export=download&confirm=t&uuid=11-22-33"
    assert files.paths == [ASKED, f"{action or '/download'}?{confirmed}"]


async def test_the_older_page_is_confirmed_by_its_link(tmp_path: Path) -> None:
    async with replying(page(OLD_VIRUS_PAGE), http_reply(MP4)) as files:
        await fetched(tmp_path, files)

    assert files.paths[1] == "/uc?export=download&confirm=Xy_9&id=abc_DEF-1"


async def test_a_large_file_that_breaks_off_is_resumed_behind_its_page(tmp_path: Path) -> None:
    broken = http_reply(MP4[:70], headers=f"Content-Length: {len(MP4)}\r\n".encode())
    async with replying(page(VIRUS_PAGE.format(action="")), broken, http_reply(MP4)) as files:
        await fetched(tmp_path, files)

    assert (tmp_path / "v").read_bytes() == MP4
    assert files.paths[1] == files.paths[2]


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden"])
async def test_a_file_that_was_asked_for_too_often_says_so_and_is_not_asked_for_again(
    tmp_path: Path, status: bytes
) -> None:
    error, paths = await failed(tmp_path, page(QUOTA_PAGE, status))

    assert error.reason == "DOWNLOAD_QUOTA_EXCEEDED"
    assert not is_transient(error)
    assert len(paths) == 1


@pytest.mark.parametrize(
    "reply",
    [
        page(SIGN_IN_PAGE),
        page("<html>"),
        page("", b"403 Forbidden"),
        page("<" * 1_000),
        page(" " * (MAX_PAGE_BYTES * 2)),
        http_reply(b"", b"302 Found", b"Location: https://accounts.google.com/ServiceLogin?x=y\r\n"),
        page(VIRUS_PAGE.format(action="http://other.example/download")),
        page(VIRUS_PAGE.format(action="http://127.0.0.1/download")),
        page(VIRUS_PAGE.format(action="file:///etc/passwd")),
        page(VIRUS_PAGE.format(action="//other.example/download")),
    ],
)
async def test_a_page_that_leads_to_nothing_or_elsewhere_is_a_file_that_is_not_shared(
    tmp_path: Path, reply: bytes
) -> None:
    error, paths = await failed(tmp_path, reply)

    assert error.reason == "DOWNLOAD_REFUSED"
    assert "Share it" in error.message
    assert len(paths) == 1


async def test_pages_behind_pages_are_not_followed_without_end(tmp_path: Path) -> None:
    error, paths = await failed(tmp_path, page(VIRUS_PAGE.format(action="")))

    assert error.reason == "DOWNLOAD_REFUSED"
    assert len(paths) == 3


async def test_a_page_that_is_compressed_is_not_unpacked(tmp_path: Path) -> None:
    headers = b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n"
    error, _ = await failed(tmp_path, http_reply(b"\x1f\x8b", headers=headers))

    assert error.reason == "DOWNLOAD_COMPRESSED"


async def test_a_page_of_another_server_is_not_read_as_one_of_drive(tmp_path: Path) -> None:
    async with replying(page(VIRUS_PAGE.format(action=""))) as files:
        with pytest.raises(InvalidInputError) as caught:
            await fetched(tmp_path, files, link=f"{files.url}/a")

    assert caught.value.reason == "NOT_A_VIDEO"
    assert len(files.paths) == 1
