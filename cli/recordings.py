"""Looks at recordings before they are sent, so that a wrong one costs no upload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chassis.containers import ALLOWED_EXTENSIONS, SNIFF_BYTES, sniff_extension
from cli.failures import CommandError, ExitCode

_ALLOWED = ", ".join(extension.removeprefix(".") for extension in ALLOWED_EXTENSIONS)


def check_recordings(paths: Sequence[Path]) -> None:
    """Refuse what can't be a recording, by the rules of the gateway.

    Raises:
        CommandError: A file is absent, can't be read, is empty, or is not a video by its name or its bytes.
    """
    for path in paths:
        if found := _problem(path):
            problem, code = found
            raise CommandError(f"Can't send {path}. {problem}", code=code, exit_code=ExitCode.USAGE)


def _problem(path: Path) -> tuple[str, str] | None:
    if not path.is_file():
        return "There is no such file.", "FILE_NOT_FOUND"
    if path.suffix.lower() not in ALLOWED_EXTENSIONS:
        return f"Its type is not one of {_ALLOWED}. Export it as one of them.", "FILE_TYPE_INVALID"
    try:
        with path.open("rb") as file:
            head = file.read(SNIFF_BYTES)
    except OSError as error:
        return f"It can't be read ({error.strerror}).", "FILE_NOT_READABLE"
    if not head:
        return "It is empty. Record it again.", "FILE_EMPTY"
    if sniff_extension(head) is None:
        return "Its content is not a video. Send the recording itself.", "NOT_A_VIDEO"
    return None
