"""What a stage is to the orchestrator. One file of this folder is one stage, named after it.

A stage says what it leaves, what its output hangs on (the hash), and how to get it. When it runs is the
plan's business (`orchestrator/workflow.py`), how often and where it is kept the runner's (`runner.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import grpc
from google.protobuf.message import Message

from chassis.errors import InterviewError, InvalidInputError
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels
from orchestrator.workflow import FETCH, StageRecord

M = TypeVar("M", bound=Message)

OnProgress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""

Service = Callable[[Any, OnProgress], Awaitable[Any]]
"""What does a stage's work: takes its request, returns its reply."""


@dataclass(frozen=True)
class Task:
    """One stage of one answer of one session."""

    session: orchestrator_pb2.CreateSessionRequest
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


@dataclass(frozen=True)
class Work:
    """A stage that is ready to be run, or has been."""

    stage: Stage
    output_key: str
    """Where the output lies, or will."""
    found: StageRecord | None
    """How the output came about, where it is there already."""
    do: Callable[[OnProgress], Awaitable[Message]]


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
        timeout_s: Time of one attempt.
        place_count: Answers that the stage works on at once. Replicas on one Postgres share the places of a
            service. Those of a stage that this process does itself are its own.
        service: The process that does the work, a folder of `services/`. Empty: this one does it.
        port: Where that process listens on this machine.
    """

    timeout_s: float
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

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.service = parts.services.get(self.name) or self.connect()

    @property
    def timeout_s(self) -> float:
        """Time of one attempt."""
        return float(getattr(self.parts.settings, f"{self.name}_timeout_s"))

    @property
    def place_count(self) -> int:
        """Answers that it works on at once."""
        return int(getattr(self.parts.settings, f"{self.name}_count"))

    def channel(self) -> grpc.aio.Channel:
        """Return the channel to the process that does the work."""
        return self.parts.channels.to(getattr(self.parts.settings, f"{self.defaults.service}_address"))

    @abstractmethod
    def connect(self) -> Service:
        """Return what does the work: a call to a service, or code of this process."""

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
        return Work(self, key, await upstream.store.find(key), call.work)

    def model(self, output: Any) -> Any:
        """Return the `ModelInfo` behind an output, or None."""
        return getattr(output, "model", None)

    def refusal(self, output: Any) -> InterviewError | None:
        """Return the error that an output amounts to, or None where it is good."""
        return None
