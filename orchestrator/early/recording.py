"""One recording that is worked on while it arrives: it is read, its sound is decoded, stages are called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, aclosing
from pathlib import Path

from chassis.errors import InterviewError
from chassis.media import MAX_CHUNK_BYTES
from chassis.reading_order import reads_from_front
from chassis.store.arriving import ArrivalLostError, ArrivingReader
from orchestrator.early.call import EarlyCall
from orchestrator.early.sound import GrowingSound, SoundDecoder, SoundLostError
from orchestrator.stages.extract import SOUND_BYTES_PER_S, ExtractionLimits

logger = logging.getLogger(__name__)

WAITING_PART_COUNT = 2
"""Parts that wait for a slow stage in memory. The others wait in the store."""

WorkFolder = Callable[[], AbstractContextManager[Path]]


class EarlyRecording:
    """Work on one arriving recording.

    Args:
        reader: Makes a reader of it.
        calls: The stages at work on it, by name.
        limits: What its decoding may cost.
        work_folder: Makes the folder that its sound lies in.
    """

    def __init__(
        self,
        reader: Callable[[], ArrivingReader],
        calls: Mapping[str, EarlyCall],
        limits: ExtractionLimits,
        work_folder: WorkFolder,
    ) -> None:
        self._reader = reader
        # Made here: what is removed at the end is what was there at the beginning.
        self._source = reader()
        self.calls = calls
        self._limits = limits
        self._work_folder = work_folder
        self._hearing = [call for call in calls.values() if call.stage.hears]
        self._seeing = [call for call in calls.values() if not call.stage.hears]

    async def run(self) -> bool:
        """Work on it until all has come and the stages have answered.

        What was copied for it is gone afterwards, so its writer stops if it still writes. What the stages
        answered stays in the calls.

        Returns:
            Whether all of it has come.
        """
        has_come = False
        try:
            if await self._reads_from_front():
                with self._work_folder() as folder:
                    await self._work(folder)
                has_come = True
            else:
                logger.info("early work ends: the recording has its index at the end")
        except* (ArrivalLostError, InterviewError, OSError) as group:
            logger.info("early work ends: the recording does not arrive", extra={"failures": _kinds(group)})
        finally:
            if not has_come:
                _give_up(self.calls.values())
            await asyncio.shield(self._leave_nothing())
        return has_come

    async def _leave_nothing(self) -> None:
        try:
            await self._source.remove()
        except InterviewError as error:  # The sweep finds it.
            logger.warning("an arrived recording was not removed", extra={"reason": error.reason})

    async def _reads_from_front(self) -> bool:
        head = b""
        async with aclosing(self._reader().parts()) as parts:
            async for part in parts:
                head += part
                if (found := reads_from_front(head)) is not None:
                    return found
        return False

    async def _work(self, folder: Path) -> None:
        max_sound_bytes = round((self._limits.max_duration_s + 1.0) * SOUND_BYTES_PER_S)
        sound = GrowingSound(folder / "sound", max_sound_bytes, lambda: _give_up(self._hearing))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._begin_to_hear(sound))
                for call in self._seeing:
                    group.create_task(self._show(call))
                await self._read(sound)
            await _ended(self.calls.values())  # The sound's file has to stay so long.
        finally:
            if not all(call.has_ended for call in self.calls.values()):
                _give_up(self.calls.values())
                await _ended(self.calls.values())

    async def _read(self, sound: GrowingSound) -> None:
        """Read the recording to its end, and tell the stages what they are on."""

        async def parts() -> AsyncIterator[bytes]:
            async for part in self._source.parts():
                if all(call.is_given_up for call in self.calls.values()):
                    raise ArrivalLostError("no stage works on it any more")
                yield part
            if self._source.arrived is not None:
                for call in self._seeing:
                    call.learn(self._source.arrived.digest)

        await SoundDecoder(self._limits, sound).run(parts())
        try:
            digest = await sound.digest()
        except SoundLostError:
            _give_up(self._hearing)
        else:
            for call in self._hearing:
                call.learn(digest)

    async def _begin_to_hear(self, sound: GrowingSound) -> None:
        if await sound.is_there():
            for call in self._hearing:
                call.begin(sound.chunks)

    async def _show(self, call: EarlyCall) -> None:
        """Have a stage work on the recording itself, which it may take more slowly than it comes."""
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_PART_COUNT)

        async def fill() -> None:
            async for part in self._reader().parts():
                await waiting.put(part)
            await waiting.put(None)

        async def chunks() -> AsyncIterator[bytes]:
            while (part := await waiting.get()) is not None:
                for begin in range(0, len(part), MAX_CHUNK_BYTES):
                    yield part[begin : begin + MAX_CHUNK_BYTES]

        call.begin(chunks)
        filling, ended = asyncio.create_task(fill()), asyncio.create_task(call.ended())
        try:
            await asyncio.wait({filling, ended}, return_when=asyncio.FIRST_COMPLETED)
            if filling.done():
                filling.result()
        finally:
            filling.cancel()
            ended.cancel()
            await asyncio.wait({filling, ended})


def _give_up(calls: Iterable[EarlyCall]) -> None:
    for call in calls:
        call.give_up()


async def _ended(calls: Iterable[EarlyCall]) -> None:
    for call in calls:
        await call.ended()


def _kinds(group: BaseExceptionGroup[BaseException]) -> list[str]:
    return sorted({type(error).__name__ for error in group.exceptions})
