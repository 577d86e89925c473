"""The stage `translate`: the segments → the same in every target language, by the translator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.errors import InterviewError, PreconditionError
from interview.v1 import (
    media_pb2,
    orchestrator_pb2,
    transcriber_pb2,
    translator_pb2,
    translator_pb2_grpc,
)
from orchestrator.languages import base_language, segment_language
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits, ask
from orchestrator.stages.replies import OK_OUTCOMES, check_present, reply_invalid
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.workflow import TRANSCRIBE, TRANSLATE

MAX_TEXTS = 2_000
"""Texts that the translator takes in one request (`translator.proto`)."""


class Translate(Stage):
    """See `Stage`."""

    name = TRANSLATE
    output_class = orchestrator_pb2.AnswerTranslations
    weight = 0.05
    defaults = Defaults(timeout_s=600.0, timeout_factor=1.0, place_count=4, service="translator", port=50052)
    stub_class = translator_pb2_grpc.TranslatorServiceStub
    capabilities_request_class = translator_pb2.TranslatorServiceGetCapabilitiesRequest

    def connect(self, limits: Limits) -> Service:
        """See `Stage`."""

        async def translate(request: translator_pb2.TranslateRequest, _: OnProgress) -> object:
            stub = translator_pb2_grpc.TranslatorServiceStub(self.channel())
            return await ask(stub.Translate, request, timeout_s=limits.timeout_s)

        return translate

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        transcript = await upstream.output(TRANSCRIBE, transcriber_pb2.Transcript)
        targets = self.parts.settings.preferences.target_languages
        parts = list(translation_calls(transcript, task.answer.question, targets))

        service = self.within(transcript.duration_s)

        async def work(on_progress: OnProgress) -> orchestrator_pb2.AnswerTranslations:
            replies = [await service(part.request, on_progress) for part in parts]
            for part, reply in zip(parts, replies, strict=True):
                if len(reply.translations) != len(part.request.texts):
                    raise reply_invalid("it has another number of texts than it was given")
            return join_translations(transcript, targets, parts, replies)

        requests = [part.request.SerializeToString(deterministic=True) for part in parts]
        return Call(fingerprint(self.name, *targets, *requests), work)

    def check(self, output: orchestrator_pb2.AnswerTranslations, recording_s: float) -> None:
        """See `Stage`."""
        super().check(output, recording_s)
        for language in output.languages:
            for entry in language.translations:
                check_present(entry.text or entry.outcome not in OK_OUTCOMES, "text for a translation")

    def refusal(self, output: Any) -> InterviewError | None:
        """See `Stage`. No backend stood behind the output."""
        outcomes = {entry.outcome for language in output.languages for entry in language.translations}
        missing, skipped = media_pb2.OUTCOME_NOT_CONFIGURED, media_pb2.OUTCOME_SKIPPED
        if missing not in outcomes or not outcomes <= {missing, skipped}:
            return None
        return PreconditionError("No translator is configured.", reason="TRANSLATOR_NOT_CONFIGURED")


@dataclass(frozen=True)
class TranslationCall:
    """One request to the translator, and which segments its texts came from."""

    target_language: str
    segment_indexes: tuple[int, ...]
    request: translator_pb2.TranslateRequest


def translation_calls(
    transcript: transcriber_pb2.Transcript, question: str, targets: Sequence[str]
) -> Iterator[TranslationCall]:
    """Yield the requests that give every segment in every target language that it is not in."""
    languages = [segment_language(segment, transcript) for segment in transcript.segments]
    for target in targets:
        for source in dict.fromkeys(languages):
            if source == base_language(target):
                continue
            wanted = [
                index
                for index, segment in enumerate(transcript.segments)
                if languages[index] == source and segment.text
            ]
            for begin in range(0, len(wanted), MAX_TEXTS):
                indexes = tuple(wanted[begin : begin + MAX_TEXTS])
                request = translator_pb2.TranslateRequest(
                    texts=[transcript.segments[index].text for index in indexes],
                    source_language_code=source,
                    target_language_code=target,
                    context=question,
                )
                yield TranslationCall(target, indexes, request)


def join_translations(
    transcript: transcriber_pb2.Transcript,
    targets: Sequence[str],
    calls: Sequence[TranslationCall],
    replies: Sequence[translator_pb2.TranslateResponse],
) -> orchestrator_pb2.AnswerTranslations:
    """Put the translations beside the segments that they belong to."""
    joined = orchestrator_pb2.AnswerTranslations()
    skipped = translator_pb2.Translation(
        outcome=media_pb2.OUTCOME_SKIPPED, reason="It was spoken in this language."
    )
    for target in targets:
        beside = [skipped] * len(transcript.segments)
        for call, reply in zip(calls, replies, strict=True):
            if call.target_language == target:
                for index, translation in zip(call.segment_indexes, reply.translations, strict=True):
                    beside[index] = translation
        joined.languages.add(language_code=target, translations=beside)
    for reply in replies:
        joined.model.CopyFrom(reply.model)
        joined.prompt_digest = reply.prompt_digest or joined.prompt_digest
        if reply.HasField("billed_character_count"):
            joined.billed_character_count += reply.billed_character_count
    return joined
