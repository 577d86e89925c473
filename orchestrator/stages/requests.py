"""Pure: what each stage is asked, from what earlier stages left.

The assessor's request is built from the transcript alone: nothing seen or heard can reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interview.v1 import assessor_pb2, media_pb2, orchestrator_pb2, transcriber_pb2, translator_pb2

MAX_TEXTS = 2_000
"""Texts that the translator takes in one request (`translator.proto`)."""


@dataclass(frozen=True)
class Preferences:
    """Settings that change what stages answer; they are part of every output's name."""

    target_languages: tuple[str, ...]
    reader_language: str
    seed: int


def base_language(code: str) -> str:
    """Return a language without its region: `en` for `en-US`."""
    return code.lower().partition("-")[0]


def segment_language(segment: transcriber_pb2.Segment, transcript: transcriber_pb2.Transcript) -> str:
    """Return the language that a segment was spoken in."""
    return base_language(segment.language_code or transcript.language_code)


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
        if reply.HasField("billed_character_count"):
            joined.billed_character_count += reply.billed_character_count
    return joined


def assess_request(
    answer: orchestrator_pb2.AnswerInput,
    session: orchestrator_pb2.CreateSessionRequest,
    transcript: transcriber_pb2.Transcript,
    preferences: Preferences,
) -> assessor_pb2.AssessRequest:
    """Ask for a judgement on the words; flagged segments are left out of scoring."""
    segments = [
        assessor_pb2.AnswerSegment(
            text=segment.text, words=segment.words, start_s=segment.start_s, end_s=segment.end_s
        )
        for segment in transcript.segments
        if segment.text and not segment.flags
    ]
    return assessor_pb2.AssessRequest(
        question=answer.question,
        segments=segments,
        language_code=base_language(transcript.language_code or session.language_code),
        reader_language_code=preferences.reader_language,
        rubric_id=answer.rubric_id or session.rubric_id,
        seed=preferences.seed,
    )
