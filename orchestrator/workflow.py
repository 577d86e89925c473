"""The plan: which stage of an answer runs when, and on what. No I/O, no stubs, no engine.

The same plan gives the same steps in any order of events, so that it can be replayed after a crash.
A failed stage is a record, not an exception: it cancels nobody and never becomes a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

EXTRACT, TRANSCRIBE, TRANSLATE = "extract", "transcribe", "translate"
ASSESS, VISION, SPEAKER = "assess", "vision", "speaker"
STAGES = (EXTRACT, TRANSCRIBE, TRANSLATE, ASSESS, VISION, SPEAKER)
"""All stages of an answer. Their order fixes the step ids: new ones go at the end."""

OK, SKIPPED, SERVICE_UNAVAILABLE, NOT_CONFIGURED = "OK", "SKIPPED", "SERVICE_UNAVAILABLE", "NOT_CONFIGURED"
NO_AUDIO, NO_VIDEO, NO_SPEECH = "NO_AUDIO", "NO_VIDEO", "NO_SPEECH"
INVALID_INPUT = "INVALID_INPUT"
"""What was sent can't be used, and the same again will not help. Only the result says it: on the wire it is
the status INVALID_ARGUMENT."""

StageEnd = Literal["done", "failed", "skipped"]


@dataclass(frozen=True)
class StageRecord:
    """How a stage of one answer ended; it refers to its output, and never holds it."""

    stage: str
    state: StageEnd
    outcome: str = OK
    """A name of `interview.v1.Outcome` without its prefix, or `INVALID_INPUT`."""
    reason: str = ""
    """Why it failed or was left out (UPPER_SNAKE)."""
    message: str = ""
    output_key: str = ""
    """Key of the output in the media store. Empty without one."""
    attempt_count: int = 0
    queue_s: float = 0.0
    """Seconds spent waiting: for a free place here, and between attempts."""
    run_s: float = 0.0
    """Seconds of the successful (or last) attempt."""
    reused: bool = False
    """True where the output was there already, from before a crash or a retry."""
    model: Mapping[str, str] = field(default_factory=dict)
    """`name`, `version`, `digest`, `device` of the model. Empty without one."""

    def to_json(self) -> dict[str, Any]:
        """Return what the engine's journal keeps."""
        return asdict(self) | {"model": dict(self.model)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StageRecord:
        """Read a record of the journal."""
        return cls(**value)


Records = dict[str, StageRecord]
"""The records of one answer by stage."""


class Steps(Protocol):
    """What the plan needs: durable steps, one for each stage of each answer."""

    async def run(self, position: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """Run a stage on what earlier stages left; a failure comes back as a record."""
        ...

    async def skip(self, position: int, record: StageRecord) -> StageRecord:
        """Note that a stage is left out."""
        ...


async def process_session(positions: Sequence[int], steps: Steps) -> dict[int, Records]:
    """Take all answers of a session through their stages, side by side."""
    done = await gather_all(*(process_answer(position, steps) for position in positions))
    return dict(zip(positions, done, strict=True))


async def process_answer(position: int, steps: Steps) -> Records:
    """Take one answer through its stages: extract → (transcribe → translate → assess) ∥ vision ∥ speaker."""
    extracted = await steps.run(position, EXTRACT, {})
    language, vision, speaker = await gather_all(
        _language(position, extracted, steps),
        _branch(position, VISION, extracted, NO_VIDEO, steps),
        _branch(position, SPEAKER, extracted, NO_AUDIO, steps),
    )
    return {EXTRACT: extracted, **language, VISION: vision, SPEAKER: speaker}


def assessable(records: Mapping[str, StageRecord]) -> bool:
    """Tell whether an answer has words to judge."""
    return _obstacle(records[TRANSCRIBE], NO_SPEECH) is None


async def reassess_session(kept: Mapping[int, Records], steps: Steps) -> dict[int, Records]:
    """Judge anew every answer that has words; all else stays as the session left it."""
    done = await gather_all(*(_reassess(position, records, steps) for position, records in kept.items()))
    return dict(zip(kept, done, strict=True))


async def _reassess(position: int, kept: Records, steps: Steps) -> Records:
    records = {stage: replace(record, reused=bool(record.output_key)) for stage, record in kept.items()}
    if assessable(kept):
        upstream = {EXTRACT: kept[EXTRACT], TRANSCRIBE: kept[TRANSCRIBE]}
        records[ASSESS] = await steps.run(position, ASSESS, upstream)
    return records


async def _language(position: int, extracted: StageRecord, steps: Steps) -> Records:
    """Transcribe, translate, assess. The assessor is handed the transcript and nothing else."""
    transcribed = await _branch(position, TRANSCRIBE, extracted, NO_AUDIO, steps)
    if (obstacle := _obstacle(transcribed, NO_SPEECH)) is not None:
        translated = await steps.skip(position, _left_out(TRANSLATE, obstacle))
        assessed = await steps.skip(position, _left_out(ASSESS, obstacle))
    else:
        upstream = {EXTRACT: extracted, TRANSCRIBE: transcribed}
        translated = await steps.run(position, TRANSLATE, upstream)
        # In the language that was spoken: a translation that failed takes nothing away.
        assessed = await steps.run(position, ASSESS, upstream)
    return {TRANSCRIBE: transcribed, TRANSLATE: translated, ASSESS: assessed}


async def _branch(
    position: int, stage: str, extracted: StageRecord, missing_track: str, steps: Steps
) -> StageRecord:
    if (obstacle := _obstacle(extracted, missing_track)) is not None:
        return await steps.skip(position, _left_out(stage, obstacle))
    return await steps.run(position, stage, {EXTRACT: extracted})


def _obstacle(record: StageRecord, missing: str) -> StageRecord | None:
    return record if record.state != "done" or record.outcome == missing else None


def _left_out(stage: str, because: StageRecord) -> StageRecord:
    """Say why a stage is left out: an absent track or speech by its name, a failure by its stage."""
    if because.outcome in (NO_AUDIO, NO_VIDEO, NO_SPEECH):
        messages = {
            NO_AUDIO: "The recording has no sound track.",
            NO_VIDEO: "The recording has no picture.",
            NO_SPEECH: "Nobody speaks in the recording.",
        }
        return StageRecord(
            stage, "skipped", because.outcome, because.outcome, because.message or messages[because.outcome]
        )
    reason = because.reason if because.state == "skipped" else f"{because.stage.upper()}_FAILED"
    message = (
        because.message
        if because.state == "skipped"
        else f"The stage {because.stage}, whose output it needs, failed."
    )
    return StageRecord(stage, "skipped", SKIPPED, reason, message)


def good(records: Mapping[str, StageRecord]) -> bool:
    """Tell whether an answer counts as assessed: its recording and its words could be read.

    Silence and a missing sound track are findings, not failures.
    """
    return not any(records[stage].state == "failed" for stage in (EXTRACT, TRANSCRIBE))


async def gather_all(*branches: Coroutine[Any, Any, Any]) -> list[Any]:
    """Await all branches to their end, then raise the first error, if any.

    A plain `gather` would leave branches running behind an error; a task group would cancel them.
    """
    results = await asyncio.gather(*branches, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
