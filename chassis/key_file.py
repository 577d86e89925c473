"""The file of API keys: read whole, changed by one process at a time, replaced at once, its owner's alone."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from chassis.api_keys import KeyBook
from chassis.errors import InvalidInputError

OWNER_ONLY = 0o600


def read_key_book(path: Path) -> KeyBook:
    """Read the file. One that is not there holds no keys.

    Raises:
        InvalidInputError: It is not a file of keys, or can't be read (`KEY_FILE_INVALID`).
    """
    try:
        return KeyBook.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return KeyBook()
    except (OSError, ValidationError) as error:
        raise InvalidInputError(
            f"The file of API keys can't be used ({_cause(error)}). Make it with `interview keys create`, and"
            " let the gateway read it.",
            reason="KEY_FILE_INVALID",
        ) from None


def _cause(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


class KeyFile:
    """The file while it is being changed. What is put into `book` is written at the end.

    Args:
        book: What it holds.
    """

    def __init__(self, book: KeyBook) -> None:
        self.book = book


@contextmanager
def changing(path: Path) -> Iterator[KeyFile]:
    """Change the file. A second process waits. A reader sees the old file or the new one, whole.

    Raises:
        InvalidInputError: The file can't be used (`KEY_FILE_INVALID`), or not be written
            (`KEY_FILE_UNWRITABLE`).
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    except OSError as error:
        raise _unwritable(error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = KeyFile(before := read_key_book(path))
        yield file
        if file.book != before:
            _replace(path, file.book)
    finally:
        os.close(lock)


def _replace(path: Path, book: KeyBook) -> None:
    name = ""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(out.fileno(), OWNER_ONLY)
            if path.exists():  # Changed by root, it stays the gateway's.
                with suppress(PermissionError):
                    os.fchown(out.fileno(), path.stat().st_uid, path.stat().st_gid)
            out.write(book.model_dump_json(indent=2).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise _unwritable(error) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(error: OSError) -> InvalidInputError:
    return InvalidInputError(
        f"The file of API keys can't be written ({error.strerror}). Name one in a folder of yours (--file).",
        reason="KEY_FILE_UNWRITABLE",
    )
