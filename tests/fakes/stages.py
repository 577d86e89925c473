"""Stand-ins for the five services in this process, what they answer, and recordings made on the spot."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from chassis.errors import InterviewError, PreconditionError
from interview.v1 import (
    assessor_pb2,
    media_pb2,
    speaker_pb2,
    transcriber_pb2,
    translator_pb2,
    vision_pb2,
)
from orchestrator.stages.catalogue import stage_classes
from orchestrator.stages.stage import OnProgress, Service, Stage

LANGUAGE_CODES = ("en", "id", "jv", "no", "tl")
RUBRIC_IDS = ("behavioural", "general", "technical")
WORDS = ["I", "led", "the", "move", "and", "we", "cut", "costs", "by", "a", "third"]


def word(text: str, start_s: float, end_s: float) -> media_pb2.Word:
    return media_pb2.Word(text=text, start_s=start_s, end_s=end_s, probability=0.9)


def a_transcript(language: str = "en", **changes: Any) -> transcriber_pb2.Transcript:
    """Eleven words in two segments of 2.5 s, with a second of silence between them."""
    halves = (WORDS[:5], WORDS[5:])
    segments = [
        transcriber_pb2.Segment(
            start_s=begin_s,
            end_s=begin_s + 2.5,
            text=" ".join(half),
            words=[word(w, begin_s + 0.5 * i, begin_s + 0.5 * i + 0.5) for i, w in enumerate(half)],
            language_code=language,
        )
        for half, begin_s in zip(halves, (0.0, 3.5), strict=True)
    ]
    fields: dict[str, Any] = {
        "segments": segments,
        "language_code": language,
        "duration_s": 6.0,
        "speech_s": 5.0,
        "mean_word_probability": 0.9,
        "outcome": media_pb2.OUTCOME_OK,
        "model": media_pb2.ModelInfo(name="fake-whisper", version="1", digest="ab" * 32, device="cpu"),
    }
    return transcriber_pb2.Transcript(**(fields | changes))


def an_assessment() -> assessor_pb2.Assessment:
    sentence = assessor_pb2.Sentence(
        id="s1", text=" ".join(WORDS), start_s=0.0, end_s=6.0, tag="action", tag_probability=0.8
    )
    criteria = [
        assessor_pb2.CriterionAssessment(
            id=name,
            name=name,
            outcome=media_pb2.OUTCOME_OK,
            level=3.5,
            score=62.5,
            evidence_sentence_ids=["s1"],
            strengths=[assessor_pb2.Remark(text="Says what the speaker did.", sentence_ids=["s1"])],
            gaps=[assessor_pb2.Remark(text="Nothing is said about what was learnt.")],
            spread_levels=0.2,
        )
        for name in ("answer_quality", "relevance", "coherence")
    ]
    return assessor_pb2.Assessment(
        method="baseline",
        outcome=media_pb2.OUTCOME_OK,
        sentences=[sentence],
        criteria=criteria,
        total_score=62.5,
        conclusion_absent_reason="The baseline writes no conclusion.",
        provenance=assessor_pb2.AssessmentProvenance(
            rubric_id="general", rubric_version="1", rubric_digest="cd" * 32, seed=7
        ),
    )


def a_vision_report(**changes: Any) -> vision_pb2.VisionReport:
    measures = {
        "face_ratio": (0.9, "ratio"),
        "eye_contact_ratio": (0.8, "ratio"),
        "blink_rate": (15.0, "per_min"),
        "blink_count": (3.0, "count"),
        "gaze_stability_ratio": (0.7, "ratio"),
        "looking_down_ratio": (0.1, "ratio"),
        "looking_up_ratio": (0.0, "ratio"),
        "smile_intensity": (0.2, "ratio"),
        "smile_variation": (0.05, "ratio"),
        "brow_movement": (0.02, "ratio"),
        "head_movement": (3.0, "deg"),
    }
    fields: dict[str, Any] = {
        "outcome": media_pb2.OUTCOME_OK,
        "duration_s": 6.0,
        "sampled_frame_count": 60,
        "face_ratio": 0.9,
        "max_face_count": 1,
        "measures": [
            media_pb2.Measure(
                name=name, value=value, unit=unit, coverage_ratio=0.9, outcome=media_pb2.OUTCOME_OK
            )
            for name, (value, unit) in measures.items()
        ],
        "models": [media_pb2.ModelInfo(name="fake-landmarker", version="1", digest="ef" * 32)],
    }
    return vision_pb2.VisionReport(**(fields | changes))


def a_diarization(**changes: Any) -> speaker_pb2.Diarization:
    fields: dict[str, Any] = {
        "outcome": media_pb2.OUTCOME_OK,
        "voice_count": 1,
        "voices": [speaker_pb2.Voice(voice=0, speech_s=5.0)],
        "turns": [speaker_pb2.Turn(start_s=0.0, end_s=6.0, voice=0, confidence=0.9)],
        "second_voice_probability": 0.05,
        "speech_s": 5.0,
        "duration_s": 6.0,
        "model": media_pb2.ModelInfo(name="fake-encoder", version="1", digest="12" * 32),
    }
    return speaker_pb2.Diarization(**(fields | changes))


def observed(kind: str, start_s: float, end_s: float) -> media_pb2.Observation:
    return media_pb2.Observation(
        kind=kind,
        start_s=start_s,
        end_s=end_s,
        value=end_s - start_s,
        unit="s",
        threshold=0.7,
        reason=f"{kind} was measured; it need not mean anything.",
    )


def a_translation(request: translator_pb2.TranslateRequest) -> translator_pb2.TranslateResponse:
    to = request.target_language_code
    return translator_pb2.TranslateResponse(
        translations=[
            translator_pb2.Translation(text=f"[{to}] {text}", outcome=media_pb2.OUTCOME_OK)
            for text in request.texts
        ],
        billed_character_count=sum(map(len, request.texts)),
        model=media_pb2.ModelInfo(name="fake-translator", version="1"),
    )


class FakeStages:
    """The five services in memory: counts calls, keeps requests, fails where told to.

    Args:
        seconds: How long each stage takes.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.calls: Counter[str] = Counter()
        self.requests: dict[str, list[Any]] = {}
        self.failures: dict[str, list[InterviewError]] = {}
        self.replies: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self.instead: dict[str, Service] = {}
        """What answers instead of a fake, by the stage's name."""
        self.known_rubric_ids: tuple[str, ...] = RUBRIC_IDS

    async def _work(self, stage: str, request: Any, reply: Any, on_progress: OnProgress | None = None) -> Any:
        self.calls[stage] += 1
        self.requests.setdefault(stage, []).append(request)
        if self.failures.get(stage):
            raise self.failures[stage].pop(0)
        try:
            for quarter in range(1, 5):
                if self.seconds:
                    await asyncio.sleep(self.seconds / 4)
                if on_progress is not None:
                    on_progress(quarter / 4)
        except asyncio.CancelledError:
            self.cancelled.append(stage)
            raise
        return self.replies.get(stage, reply)

    def services(self) -> dict[str, Service]:
        """Return what stands in for the five services, as `compose` wants it."""

        async def transcribe(config: Any, on_progress: OnProgress) -> Any:
            return await self._work("transcribe", config, a_transcript(), on_progress)

        async def translate(request: Any, on_progress: OnProgress) -> Any:
            return await self._work("translate", request, a_translation(request))

        async def assess(request: Any, on_progress: OnProgress) -> Any:
            made = an_assessment()
            made.provenance.rubric_id = request.rubric_id or "general"
            return await self._work("assess", request, made)

        async def analyze(config: Any, on_progress: OnProgress) -> Any:
            return await self._work("vision", config, a_vision_report(), on_progress)

        async def diarize(config: Any, on_progress: OnProgress) -> Any:
            return await self._work("speaker", config, a_diarization(), on_progress)

        async def rubrics(request: Any, on_progress: OnProgress) -> Any:
            if self.failures.get("rubrics"):
                raise self.failures["rubrics"].pop(0)
            return self.known_rubric_ids

        async def languages(request: Any, on_progress: OnProgress) -> Any:
            if self.failures.get("languages"):
                raise self.failures["languages"].pop(0)
            return LANGUAGE_CODES

        services: dict[str, Service] = {
            "transcribe": transcribe,
            "translate": translate,
            "assess": assess,
            "vision": analyze,
            "speaker": diarize,
            "rubrics": rubrics,
            "languages": languages,
        }
        return _further() | {name: self._replaceable(name, service) for name, service in services.items()}

    def _replaceable(self, name: str, service: Service) -> Service:
        async def serve(request: Any, on_progress: OnProgress) -> Any:
            return await self.instead.get(name, service)(request, on_progress)

        return serve


def _further() -> dict[str, Service]:
    """Return stand-ins for stages that have no fake: good at once, without a value, and not counted."""

    def answering(stage_class: type[Stage]) -> Service:
        async def serve(request: Any, on_progress: OnProgress) -> Any:
            return stage_class.output_class(outcome=media_pb2.OUTCOME_OK)

        return serve

    return {name: answering(of) for name, of in stage_classes().items() if of.defaults.service}


NO_TRANSLATOR = PreconditionError("No translator is configured.", reason="TRANSLATOR_NOT_CONFIGURED")
