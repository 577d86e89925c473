"""The recordings of a session: in a folder, on the gateway, or nowhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chassis.models import sha256_of
from cli.failures import CommandError
from cli.verifying.checks import Json


@dataclass(frozen=True)
class FoundRecording:
    """What a recording is here."""

    sha256: str
    size_bytes: int


class FoundRecordings(Protocol):
    """Where recordings are looked for."""

    def find(self, position: int, video_file: str) -> FoundRecording | str:
        """Return a recording, or a sentence that says why it is not here."""
        ...


class MediaSource(Protocol):
    """What is asked of the gateway."""

    def recording(self, session_id: str, position: int) -> Iterator[bytes]:
        """Yield a recording's bytes."""
        ...


class Nowhere:
    """No recordings were given."""

    def find(self, position: int, video_file: str) -> str:  # noqa: ARG002 - no recording is here
        """See `FoundRecordings`."""
        return "Give --recordings FOLDER, or --fetch."


class InFolder:
    """Recordings in a folder, under the names that they were sent with.

    Two answers with one name are told apart by position: `1.mp4` or `video_1.mp4` is that of answer 1.

    Args:
        folder: Holds them.
        document: Says their names.
    """

    def __init__(self, folder: Path, document: Json) -> None:
        self._files = {path.name: path for path in folder.iterdir() if path.is_file()}
        self._uses = Counter(one["video_file"] for one in document["provenance"]["inputs"])

    def find(self, position: int, video_file: str) -> FoundRecording | str:
        """See `FoundRecordings`."""
        path = self._files.get(video_file) if self._uses[video_file] == 1 else None
        if path is None:
            stems = (str(position), f"video_{position}")
            path = next((one for one in self._files.values() if one.stem in stems), None)
        if path is None:
            return f"Name its file {position}, with its extension, where it has not the name that was sent."
        try:
            return FoundRecording(sha256_of(path), path.stat().st_size)
        except OSError as error:
            return f"{path.name} can't be read ({error.strerror})."


class OnGateway:
    """Recordings as the gateway serves them.

    Args:
        gateway: The gateway.
        session_id: The session that they belong to.
    """

    def __init__(self, gateway: MediaSource, session_id: str) -> None:
        self._gateway = gateway
        self._session_id = session_id

    def find(self, position: int, video_file: str) -> FoundRecording | str:  # noqa: ARG002 - it knows positions
        """See `FoundRecordings`."""
        digest, size_bytes = hashlib.sha256(), 0
        try:
            for block in self._gateway.recording(self._session_id, position):
                digest.update(block)
                size_bytes += len(block)
        except CommandError as error:
            return error.message
        return FoundRecording(digest.hexdigest(), size_bytes)
