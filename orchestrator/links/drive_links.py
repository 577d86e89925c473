"""Google Drive: share links have another address for the file, and large files come behind a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx

from chassis.errors import ExhaustedError, ForbiddenError, InterviewError, InvalidInputError
from orchestrator.links.link_addresses import bad_link

DRIVE_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com")
SIGN_IN_HOST = "accounts.google.com"
MAX_PAGE_BYTES = 512 << 10
"""Google's pages have 3 to 100 kB."""
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_FILE_PATH = re.compile(r"/file/(?:u/\d+/)?d/([^/]+)")
_FOLDER_PATH = re.compile(r"/drive/(?:u/\d+/)?(?:mobile/)?folders/|/folderview|/drive/(?:u/\d+/)?my-drive")
_QUOTA_WORDS = re.compile(r"quota exceeded|too many\s+users\s+have\s+viewed or downloaded", re.IGNORECASE)
_OLD_CONFIRMATION = re.compile(r"confirm=([0-9A-Za-z_-]+)")


def is_drive_link(link: str) -> bool:
    """Tell whether a link leads to Google Drive."""
    try:
        return urlsplit(link).hostname in DRIVE_HOSTS
    except ValueError:
        return False


def direct_link(link: str, drive_url: str) -> httpx.URL:
    """Return where a link's file is handed out. Google Drive's share links have another address for that.

    Args:
        link: As the caller gave it: `…/file/d/ID/view`, `…/open?id=ID`, `…/uc?id=ID`, or any other address.
        drive_url: Where Google Drive hands files out.

    Raises:
        InvalidInputError: This can't be a link to a file (`LINK_INVALID`).
    """
    try:
        parts = urlsplit(link)
        if parts.hostname not in DRIVE_HOSTS:
            return httpx.URL(link)
        query = parse_qs(parts.query)
    except (httpx.InvalidURL, ValueError):
        raise bad_link() from None
    if _FOLDER_PATH.search(parts.path):
        raise InvalidInputError(
            "This link leads to a folder of Google Drive. Share the recording itself and use its link.",
            reason="LINK_INVALID",
        )
    in_path = _FILE_PATH.search(parts.path)
    file_id = in_path.group(1) if in_path else query.get("id", [""])[0]
    if not _FILE_ID.fullmatch(file_id):
        raise bad_link()
    asked = {"id": file_id, "export": "download", "confirm": "t"}
    # Files that were shared before 2021 are not handed out without it.
    if resource_key := query.get("resourcekey", [""])[0]:
        asked["resourcekey"] = resource_key
    return httpx.URL(drive_url, params=asked)


@dataclass
class _Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    """The forms and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(values.get("action", "")))
        elif tag == "input" and self.forms and values.get("name"):
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "a" and values.get("id") == "uc-download-link":
            self.links.append(values.get("href", ""))


def confirmed_link(page: str, url: httpx.URL) -> httpx.URL:
    """Return where a page leads that Google Drive shows instead of a file that it can't scan for viruses.

    Args:
        page: Its HTML.
        url: Where it came from.

    Raises:
        ExhaustedError: The file was handed out too often (`DOWNLOAD_QUOTA_EXCEEDED`).
        ForbiddenError: The page leads to nothing, or to somebody else than Google Drive (`DOWNLOAD_REFUSED`).
    """
    if _QUOTA_WORDS.search(page):
        raise ExhaustedError(
            "Google Drive has handed this file out too often, and refuses it for up to a day. Retry the "
            "session tomorrow, or upload the file.",
            reason="DOWNLOAD_QUOTA_EXCEEDED",
        )
    read = _Page()
    read.feed(page)
    for form in read.forms:
        if "confirm" in form.fields or "uuid" in form.fields:
            return _of_drive(url.join(form.action).copy_merge_params(form.fields), url)
    for link in read.links:
        if _OLD_CONFIRMATION.search(link):
            return _of_drive(url.join(link), url)
    raise not_shared()


def not_shared() -> InterviewError:
    """Return the error of a file that Google Drive does not hand out to everyone."""
    return ForbiddenError(
        "Google Drive does not hand this file out. Share it with everyone who has the link, and let them "
        "download it.",
        reason="DOWNLOAD_REFUSED",
    )


def _of_drive(target: httpx.URL, page_url: httpx.URL) -> httpx.URL:
    """Return an address that a page names, if it is Google Drive's. A page is not asked for others."""
    same_server = (target.scheme, target.netloc) == (page_url.scheme, page_url.netloc)
    if not same_server and not (target.scheme == "https" and target.host in DRIVE_HOSTS):
        raise not_shared()
    return target
