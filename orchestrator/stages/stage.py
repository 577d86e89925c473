"""What a stage is to the orchestrator. One file of this folder is one stage, named after it.

A stage says what it leaves, what its output hangs on (the hash), and how to get it. When it runs is the
plan's business (`orchestrator/workflow.py`), how often and where it is kept the runner's (`runner.py`).
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from chassis.errors import InterviewError, InvalidInputError, UnavailableError
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels, Limits
from orchestrator.stages.replies import check_numbers
from orchestrator.workflow import FETCH, StageRecord

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

OnProgress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""

Service = Callable[[Any, OnProgress], Awaitable[Any]]
"""What does a stage's work: takes its request, returns its reply."""


@dataclass(frozen=True)
class Task:
    """One stage of one answer of one session."""

    session: orchestrator_pb2.CreateSessionRequest = field(repr=False)  # Names don't belong into a log.
    place: int
    """The answer's place in the session, from 1 on."""
    stage: str

    @property
    def answer(self) -> orchestrator_pb2.AnswerInput:
        """The answer's input."""
        return self.session.answers[self.place - 1]


@dataclass(frozen=True)
class Call:
    """What a stage is about to do.

    Args:
        input_hash: Names the output: the same input and settings give the same one.
        work: Does it, and returns the output.
    """

    input_hash: str
    work: Callable[[OnProgress], Awaitable[Message]]
    recording_s: float = 0.0
    """Length of the recording, as far as it is known. Replies are checked by it."""


@dataclass(frozen=True)
class Work:
    """A stage that is ready to be run, or has been."""

    stage: Stage
    output_key: str
    """Where the output lies, or will."""
    found: StageRecord | None
    """How the output came about, where it is there already."""
    do: Callable[[OnProgress], Awaitable[Message]]
    recording_s: float = 0.0
    input_hash: str = ""
    """See `Call`."""

    def check(self, output: Message) -> None:
        """Check an output before it is kept.

        Raises:
            UnavailableError: It can't be right (`REPLY_INVALID`).
        """
        self.stage.check(output, self.recording_s)


@dataclass(frozen=True)
class Upstream:
    """What earlier stages of the same answer left."""

    records: Mapping[str, StageRecord]
    store: SessionStore

    def has(self, stage: str) -> bool:
        """Tell whether a stage left an output."""
        return stage in self.records and bool(self.records[stage].output_key)

    async def recording(self, answer: orchestrator_pb2.AnswerInput) -> orchestrator_pb2.FetchedRecording:
        """Return where the answer's recording lies, whichever way it came.

        Raises:
            InvalidInputError: There is none. The reason is the one that its sender gave.
        """
        if answer.unavailable_reason:
            raise InvalidInputError(
                "There is no recording of this answer. Send it again.", reason=answer.unavailable_reason
            )
        if self.has(FETCH):
            return await self.output(FETCH, orchestrator_pb2.FetchedRecording)
        return orchestrator_pb2.FetchedRecording(
            uri=answer.uri, file_name=answer.file_name, digest=answer.digest, media_bytes=answer.media_bytes
        )

    async def output(self, stage: str, output_class: type[M]) -> M:
        """Read the output of a stage.

        Raises:
            NotFoundError: It is gone (`OBJECT_NOT_FOUND`).
        """
        return await self.store.load(self.records[stage].output_key, output_class)


@dataclass(frozen=True)
class Parts:
    """What stages are made of."""

    settings: OrchestratorSettings
    media: MediaStore
    """Where the recordings lie."""
    store: SessionStore
    """Where the outputs lie."""
    channels: Channels
    services: Mapping[str, Service] = field(default_factory=dict)
    """Stand-ins for the services, by the stage's name. A test passes fakes."""


@dataclass(frozen=True)
class Defaults:
    """What the environment may say otherwise. `settings_class` of `catalogue.py` names the variables.

    Args:
        timeout_s: Time of one attempt, whatever the recording's length.
        timeout_factor: Seconds more for each second of the recording.
        place_count: Answers that the stage works on at once. Of a service, the least: its pods say how many.
            Replicas on one Postgres share those. Those of a stage that this process does itself are its own.
        service: The process that does the work, a folder of `services/`. Empty: this one does it.
        port: Where that process listens on this machine.
    """

    timeout_s: float
    timeout_factor: float = 0.0
    place_count: int = 2
    service: str = ""
    port: int = 0


class Stage(ABC):
    """One stage. The runner makes one object of it for the process.

    Args:
        parts: What it may use.
    """

    name: ClassVar[str]
    output_class: ClassVar[type[Message]]
    """The message that it leaves in the store."""
    weight: ClassVar[float]
    """Its share of an answer's work, from CPU-seconds on two cores. Those of an answer add up to about 1."""
    defaults: ClassVar[Defaults]
    """Its address, places and time."""
    stub_class: ClassVar[Any]
    capabilities_request_class: ClassVar[type[Message]]

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.service = self.within(0.0)
        """Does the work on what has no length, or where its length makes no difference."""

    @property
    def timeout_s(self) -> float:
        """Time of one attempt, whatever the recording's length."""
        return float(getattr(self.parts.settings, f"{self.name}_timeout_s"))

    def limits(self, recording_s: float) -> Limits:
        """Return how long an attempt may take on a recording of this length."""
        settings = self.parts.settings
        factor = float(getattr(settings, f"{self.name}_timeout_factor"))
        stall_s = settings.stall_timeout_s + settings.stall_timeout_factor * recording_s
        return Limits(self.timeout_s + factor * recording_s, stall_s)

    def within(self, recording_s: float) -> Service:
        """Return what does the work, with the time for a recording of this length."""
        return self.parts.services.get(self.name) or self.connect(self.limits(recording_s))

    @property
    def place_count(self) -> int:
        """Answers that it works on at once. Where its pods say more, the least."""
        told = getattr(self.parts.settings, f"{self.name}_count")
        return self.defaults.place_count if told is None else int(told)

    @property
    def process_name(self) -> str:
        """What the process that does the work is called in a sentence."""
        return f"the {self.defaults.service or 'orchestrator'} service"

    @property
    def address(self) -> str:
        """Where another process does the work. Empty where this one does."""
        if not self.defaults.service or self.name in self.parts.services:
            return ""
        return str(getattr(self.parts.settings, f"{self.defaults.service}_address"))

    @property
    def is_remote(self) -> bool:
        """Whether another process does the work."""
        return bool(self.address)

    def channel(self) -> grpc.aio.Channel:
        """Return the channel to the process that does the work."""
        return self.parts.channels.to(getattr(self.parts.settings, f"{self.defaults.service}_address"))

    async def check_serving(self) -> None:
        """Check that the process that does the work is there and serves.

        Raises:
            StageAwayError: It does not (`STAGE_AWAY`).
        """
        if self.address:
            await self.parts.channels.check_serving(self.address)

    async def find_again(self) -> bool:
        """Look for the process that does the work after it was away. True where it serves."""
        return await self.parts.channels.find_again(self.address) if self.address else True

    @abstractmethod
    def connect(self, limits: Limits) -> Service:
        """Return what does the work: a call to a service, or code of this process.

        Args:
            limits: How long one attempt may take.
        """

    @abstractmethod
    async def call(self, task: Task, upstream: Upstream) -> Call:
        """Prepare the work on one answer.

        Raises:
            InterviewError: It can't be done.
        """

    async def prepare(self, task: Task, upstream: Upstream) -> Work:
        """Say where the output of an answer lies and whether it is there, and how to make it.

        Raises:
            InterviewError: It can't be done.
        """
        call = await self.call(task, upstream)
        key = upstream.store.output_key(task.session.session_id, task.place, self.name, call.input_hash)
        found = await upstream.store.find(key)
        work = Work(self, key, found, call.work, call.recording_s, call.input_hash)
        if found is not None and not await self._is_good(work, upstream.store):
            # What is there stays, so it must go before the new one can have its place.
            await upstream.store.remove(key)
            return replace(work, found=None)
        return work

    def model(self, output: Any) -> Any:
        """Return the `ModelInfo` behind an output, or None."""
        return getattr(output, "model", None)

    def check(self, output: Any, recording_s: float) -> None:
        """Check an output before it is kept, and one that was kept before it is used again.

        Args:
            output: What the stage answered.
            recording_s: Length of the recording. 0 where it is not known.

        Raises:
            UnavailableError: It can't be right (`REPLY_INVALID`).
        """
        check_numbers(output)

    async def _is_good(self, work: Work, store: SessionStore) -> bool:
        """Tell whether a kept output can be used. An older build kept whatever came."""
        try:
            work.check(await store.load(work.output_key, self.output_class))
        except (DecodeError, UnavailableError) as error:
            if isinstance(error, UnavailableError) and error.reason != "REPLY_INVALID":
                raise
            logger.warning("a kept output can't be right and is made again", extra={"stage": self.name})
            return False
        return True

    def refusal(self, output: Any) -> InterviewError | None:
        """Return the error that an output amounts to, or None where it is good."""
        return None
