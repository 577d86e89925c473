"""The call of one stage on a recording that still arrives, and what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import Message

from chassis.errors import InterviewError
from orchestrator.early.places import LOOK_INTERVAL_S, EarlyPlace, NoPlaceError, YieldingPlaces
from orchestrator.stages.recording_stage import RecordingStage
from orchestrator.stages.remote import Limits
from orchestrator.stages.stage import OnProgress

logger = logging.getLogger(__name__)

DIGEST_TIMEOUT_S = 30.0
"""How long a stage waits to learn what its early work was on. The sound was decoded while it arrived."""

Chunks = Callable[[], AsyncIterator[bytes]]
"""Gives what a stage works on, from the beginning."""


class EarlyCall:
    """One stage at work on one arriving recording.

    Args:
        stage: The stage.
        language_code: The session's. Empty to detect it.
        places: The places at the stages.
        limits: Time for the call, and for the pauses in it.
    """

    def __init__(
        self, stage: RecordingStage, language_code: str, places: YieldingPlaces, limits: Limits
    ) -> None:
        self.stage = stage
        self._language_code = language_code
        self._places = places
        self._limits = limits
        self._work: asyncio.Task[Message | None] | None = None
        self._place: EarlyPlace | None = None
        self._digest: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._on_progress: OnProgress = lambda _: None
        self._given_up = False

    def begin(self, chunks: Chunks) -> None:
        """Have the stage work as soon as there is a place. Nothing happens once it was given up."""
        if not self._given_up:
            self._work = asyncio.create_task(self._worked(chunks))

    def learn(self, digest: str) -> None:
        """Take note of what it is on, now that all has come: the SHA-256 of the sound or the recording."""
        if not self._digest.done():
            self._digest.set_result(digest)

    def give_up(self) -> None:
        """Stop it. The stage works on the whole then."""
        self._given_up = True
        self._digest.cancel()
        if self._work is not None:
            self._work.cancel()

    @property
    def is_given_up(self) -> bool:
        """Whether nothing comes of it any more."""
        return self._given_up

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is under way."""
        return self._work is None or self._work.done()

    async def ended(self) -> None:
        """Wait until it has ended, however it does."""
        if self._work is not None:
            await asyncio.wait({self._work})

    async def output(self, input_hash: str, on_progress: OnProgress) -> Message | None:
        """Return what the stage answers, once it has. None where there is nothing that counts.

        Args:
            input_hash: What the output hangs on, as the stage itself found it. Another one does not count.
            on_progress: Is told the share that is done from now on.
        """
        try:
            if await self._is_on(input_hash) and self._place is not None and self._work is not None:
                self._place.is_kept, self._on_progress = True, on_progress
                await asyncio.wait({self._work})
                return None if self._work.cancelled() else self._work.result()
        except asyncio.CancelledError:
            self.give_up()
            raise
        # It failed, was on something else, or stands in line for a place, as the session can do itself.
        self.give_up()
        return None

    async def _is_on(self, input_hash: str) -> bool:
        """Tell whether it is on the very thing that the stage is about to work on."""
        if self._work is None or self._given_up:
            return False
        awaited: set[asyncio.Future[Any]] = {self._digest, self._work}
        await asyncio.wait(awaited, timeout=DIGEST_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if self._work.done() and not self._digest.done():
            return False
        if not self._digest.done() or self._digest.cancelled():
            return False
        is_same = self.stage.input_hash(self._digest.result(), self._language_code) == input_hash
        if not is_same:
            logger.info("early work was on something else", extra={"stage": self.stage.name})
        return is_same

    async def _worked(self, chunks: Chunks) -> Message | None:
        while not self._digest.done():  # Once all has come, the stage itself begins.
            try:
                async with self._places.left_over(self.stage.name, self.give_up) as self._place:
                    return await self._answer(chunks())
            except NoPlaceError:
                await asyncio.sleep(LOOK_INTERVAL_S)
        return None

    async def _answer(self, chunks: AsyncIterator[bytes]) -> Message | None:
        try:
            answer: Message = await self.stage.take_in(
                chunks, self._language_code, lambda ratio: self._on_progress(ratio), self._limits
            )
            self.stage.check(answer, 0.0)
        except InterviewError as error:  # The stage is called again, with the whole, and says it there.
            name = self.stage.name
            logger.info("early work came to nothing", extra={"stage": name, "reason": error.reason})
            return None
        return answer
