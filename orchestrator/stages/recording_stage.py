"""A stage whose service works on one recording, or on its sound: what is asked is described once.

The recording may lie in the store, and then its URI is sent. Or it is still arriving, and then its bytes are
sent as they come (`orchestrator/early/`). Output and its name are the same either way.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from google.protobuf.message import Message

from interview.v1 import media_pb2, orchestrator_pb2
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits, follow, once
from orchestrator.stages.stage import Call, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import EXTRACT


class RecordingStage(Stage):
    """See `Stage`."""

    request_class: ClassVar[type[Message]]
    """A message of the request stream: the opening one has `config`, every later one `chunk`."""
    reply_field: ClassVar[str]
    """Field of the replies' `event` that holds the complete output."""
    hears: ClassVar[bool]
    """Whether it works on the extracted sound. Else it works on the recording itself."""

    @abstractmethod
    def method(self) -> Any:
        """Return the stub's method."""

    @abstractmethod
    def config(self, recording: media_pb2.Recording, language_code: str) -> Any:
        """Return what is asked.

        Args:
            recording: Where the sound or the recording lies. Empty where chunks follow.
            language_code: The session's. Empty to detect it.
        """

    def input_hash(self, digest: str, language_code: str) -> str:
        """Return what the output hangs on.

        Args:
            digest: SHA-256 of the sound or the recording.
            language_code: The session's. Empty to detect it.
        """
        return fingerprint(self.name, digest)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`."""

        async def work(config: Any, on_progress: OnProgress) -> object:
            requests = once(self.request_class(config=config))
            return await follow(self.method(), requests, self.reply_field, on_progress, limits=limits)

        return work

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        extraction = await upstream.output(EXTRACT, orchestrator_pb2.Extraction)
        if self.hears:
            uri, digest = self.parts.media.uri(extraction.audio_key), extraction.audio_digest
        else:
            uri, digest = (await upstream.recording(task.answer)).uri, extraction.media_digest
        language_code = task.session.language_code
        config = self.config(media_pb2.Recording(uri=uri), language_code)
        service = self.within(extraction.duration_s)
        return Call(
            self.input_hash(digest, language_code),
            lambda on_progress: service(config, on_progress),
            extraction.duration_s,
        )

    async def take_in(
        self, chunks: AsyncIterator[bytes], language_code: str, on_progress: OnProgress, limits: Limits
    ) -> Any:
        """Have a recording worked on while it arrives, and return the output.

        Args:
            chunks: Its bytes, at most 1 MiB each. An error in them has to cancel this call: here they end.
            language_code: The session's. Empty to detect it.
            on_progress: Is told the share that is done.
            limits: Time for the whole call, and for the pauses in it.

        Raises:
            InterviewError: As the service raised it, or one of `troubles`.
        """

        async def requests() -> AsyncIterator[Message]:
            yield self.request_class(config=self.config(media_pb2.Recording(), language_code))
            async for chunk in chunks:
                yield self.request_class(chunk=chunk)

        return await follow(self.method(), requests(), self.reply_field, on_progress, limits=limits)
