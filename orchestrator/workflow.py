"""The plan: which stage of an answer runs when, and on what. No I/O, no stubs, no engine.

The same plan gives the same steps in any order of events, so that it can be replayed after a crash.
A failed stage is a record, not an exception. It cancels nobody and never becomes a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Protocol

FETCH, EXTRACT, TRANSCRIBE, TRANSLATE = "fetch", "extract", "transcribe", "translate"
ASSESS, VISION, SPEAKER = "assess", "vision", "speaker"
STAGES = (FETCH, EXTRACT, TRANSCRIBE, TRANSLATE, ASSESS, VISION, SPEAKER)
"""All stages of an answer, as people read them. Each is a file of `orchestrator/stages/`."""
RESERVED_FIRST = (EXTRACT, TRANSCRIBE, TRANSLATE, ASSESS, VISION, SPEAKER)
"""Stages whose step ids are reserved answer by answer. Never change it: sessions in flight hang on it."""
RESERVED_LATER = (FETCH,)
"""Stages whose step ids are reserved after all others, stage by stage. New ones go at the end."""
RECORDING_STAGES = (FETCH, EXTRACT, TRANSCRIBE)
"""Stages without which an answer counts as failed: its recording and its words could not be read."""

OK, SKIPPED, SERVICE_UNAVAILABLE, NOT_CONFIGURED = "OK", "SKIPPED", "SERVICE_UNAVAILABLE", "NOT_CONFIGURED"
NO_AUDIO, NO_VIDEO, NO_SPEECH = "NO_AUDIO", "NO_VIDEO", "NO_SPEECH"
INVALID_INPUT = "INVALID_INPUT"
"""What was sent can't be used, and the same again will not help. Only the result says it: on the wire it is
the status INVALID_ARGUMENT."""

StageEnd = Literal["done", "failed", "skipped"]


@dataclass(frozen=True)
class StageRecord:
    """How a stage of one answer ended. It refers to its output, and never holds it."""

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
        """Read a record of the journal. Fields of a newer version are left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: of for name, of in value.items() if name in known})


Records = dict[str, StageRecord]
"""The records of one answer by stage."""


class Steps(Protocol):
    """What the plan needs: durable steps, one for each stage of each answer."""

    async def run(self, place: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """Run a stage on what earlier stages left. A failure comes back as a record."""
        ...

    async def skip(self, place: int, record: StageRecord) -> StageRecord:
        """Note that a stage is left out."""
        ...


async def process_session(places: Sequence[int], linked: Collection[int], steps: Steps) -> dict[int, Records]:
    """Take all answers of a session through their stages, side by side.

    Args:
        places: The answers' places, from 1 on.
        linked: Those whose recording is still to be fetched from a link.
        steps: Runs the stages.
    """
    done = await gather_all(*(process_answer(place, place in linked, steps) for place in places))
    return dict(zip(places, done, strict=True))


async def process_answer(place: int, linked: bool, steps: Steps) -> Records:
    """Take one answer through: (fetch →) extract → (transcribe → translate → assess) ∥ vision ∥ speaker."""
    arrived = {FETCH: await steps.run(place, FETCH, {})} if linked else {}
    extracted = await _after(arrived.get(FETCH), place, EXTRACT, arrived, steps)
    upstream = {**arrived, EXTRACT: extracted}
    language, vision, speaker = await gather_all(
        _language(place, upstream, steps),
        _after(extracted, place, VISION, upstream, steps, NO_VIDEO),
        _after(extracted, place, SPEAKER, upstream, steps, NO_AUDIO),
    )
    return {**upstream, **language, VISION: vision, SPEAKER: speaker}


def assessable(records: Mapping[str, StageRecord]) -> bool:
    """Tell whether an answer has words to judge."""
    return _obstacle(records[TRANSCRIBE], NO_SPEECH) is None


async def reassess_session(kept: Mapping[int, Records], steps: Steps) -> dict[int, Records]:
    """Judge every answer with words again. All else stays as the session left it."""
    done = await gather_all(*(_reassess(position, records, steps) for position, records in kept.items()))
    return dict(zip(kept, done, strict=True))


async def _reassess(place: int, kept: Records, steps: Steps) -> Records:
    records = {stage: replace(record, reused=bool(record.output_key)) for stage, record in kept.items()}
    if assessable(kept):
        upstream = {EXTRACT: kept[EXTRACT], TRANSCRIBE: kept[TRANSCRIBE]}
        records[ASSESS] = await steps.run(place, ASSESS, upstream)
    return records


async def _language(place: int, upstream: Records, steps: Steps) -> Records:
    """Transcribe, translate, assess. The assessor is handed the transcript and nothing else."""
    transcribed = await _after(upstream[EXTRACT], place, TRANSCRIBE, upstream, steps, NO_AUDIO)
    heard = {EXTRACT: upstream[EXTRACT], TRANSCRIBE: transcribed}
    translated = await _after(transcribed, place, TRANSLATE, heard, steps, NO_SPEECH)
    # In the language that was spoken: a translation that failed takes nothing away.
    assessed = await _after(transcribed, place, ASSESS, heard, steps, NO_SPEECH)
    return {TRANSCRIBE: transcribed, TRANSLATE: translated, ASSESS: assessed}


async def _after(
    before: StageRecord | None,
    place: int,
    stage: str,
    upstream: Records,
    steps: Steps,
    missing: str = "",
) -> StageRecord:
    """Run a stage once the one before it has ended well, or leave it out.

    Args:
        before: The stage that it needs. None: it needs nothing.
        place: The answer's place.
        stage: The stage to run.
        upstream: All that earlier stages left.
        steps: Runs the stages.
        missing: Outcome of `before` that leaves the stage nothing to work on.
    """
    if before is not None and (obstacle := _obstacle(before, missing)) is not None:
        return await steps.skip(place, _left_out(stage, obstacle))
    return await steps.run(place, stage, upstream)


def _obstacle(record: StageRecord, missing: str) -> StageRecord | None:
    return record if record.state != "done" or record.outcome == missing else None


def _left_out(stage: str, because: StageRecord) -> StageRecord:
    """Say why a stage is left out: an absent track or speech by its name, a failure by its stage."""
    if because.outcome in (NO_AUDIO, NO_VIDEO, NO_SPEECH):
        messages = {
            NO_AUDIO: "No sound could be read from the recording.",
            NO_VIDEO: "No picture could be read from the recording.",
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


def is_assessed(records: Mapping[str, StageRecord]) -> bool:
    """Tell whether an answer counts as assessed: its recording and its words could be read.

    Silence and a missing sound track are observations, not failures.
    """
    return first_failure(records) is None


def first_failure(records: Mapping[str, StageRecord]) -> StageRecord | None:
    """Return the failure that keeps an answer from being assessed, or None."""
    found = (records[stage] for stage in RECORDING_STAGES if stage in records)
    return next((record for record in found if record.state == "failed"), None)


def stages_of(*, linked: bool) -> tuple[str, ...]:
    """Return the stages of an answer in order. Only one with a link has a recording to fetch."""
    return tuple(stage for stage in STAGES if linked or stage != FETCH)


async def gather_all(*branches: Coroutine[Any, Any, Any]) -> list[Any]:
    """Await all branches to their end, then raise the first error, if any.

    A plain `gather` would leave branches running behind an error. A task group would cancel them.
    """
    results = await asyncio.gather(*branches, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
