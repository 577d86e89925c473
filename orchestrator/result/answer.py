"""Pure: transcript and assessment of one answer in the result document."""

from __future__ import annotations

from interview.v1 import assessor_pb2, media_pb2, transcriber_pb2
from orchestrator.languages import base_language, segment_language
from orchestrator.outcomes import outcome_name
from orchestrator.result.answer_outputs import AnswerOutputs, voice_of
from orchestrator.result.scores import criterion_counts
from orchestrator.result.values import Json, absent, number, optional
from orchestrator.workflow import ASSESS, NO_SPEECH, OK, TRANSCRIBE, TRANSLATE


def text_in(outputs: AnswerOutputs, language: str) -> tuple[str | None, str]:
    """Return what was said in a language, and what that is worth: all of it, or nothing."""
    transcript = outputs.transcript
    if transcript is None or not transcript.segments:
        outcome = outputs.outcome(TRANSCRIBE)
        return None, NO_SPEECH if outcome == OK else outcome
    parts = [_segment_in(outputs, index, language) for index in range(len(transcript.segments))]
    if all(text is not None for text, _ in parts):
        return " ".join(text for text, _ in parts if text), OK
    return None, next(outcome for text, outcome in parts if text is None)


def _segment_in(outputs: AnswerOutputs, index: int, language: str) -> tuple[str | None, str]:
    transcript = outputs.transcript
    if transcript is None:
        return None, outputs.outcome(TRANSCRIBE)
    segment = transcript.segments[index]
    if segment_language(segment, transcript) == base_language(language) or not segment.text:
        return segment.text, OK
    for translated in outputs.translations.languages if outputs.translations else []:
        if base_language(translated.language_code) == language:
            translation = translated.translations[index]
            text = translation.text if translation.HasField("text") else None
            return text, outcome_name(translation.outcome)
    return None, absent(outputs.outcome(TRANSLATE))


def transcript_of(outputs: AnswerOutputs) -> Json:
    """Return what was said, with times, translations and voices."""
    record, transcript = outputs.records[TRANSCRIBE], outputs.transcript
    if transcript is None:
        return {"outcome": record.outcome, "reason": record.message or None, "language": None, "segments": []}
    return {
        "outcome": outcome_name(transcript.outcome),
        "reason": None,
        "language": transcript.language_code or None,
        "language_probability": optional(transcript, "language_probability", 4),
        "duration_s": number(transcript.duration_s, 3),
        "speech_s": number(transcript.speech_s, 3),
        "uncovered_speech_s": number(transcript.uncovered_speech_s, 3),
        "mean_word_probability": optional(transcript, "mean_word_probability", 4),
        "warnings": list(transcript.warnings),
        "segments": [_segment(outputs, transcript, index) for index in range(len(transcript.segments))],
    }


def _segment(outputs: AnswerOutputs, transcript: transcriber_pb2.Transcript, index: int) -> Json:
    segment = transcript.segments[index]
    translations = {}
    for translated in outputs.translations.languages if outputs.translations else []:
        entry = translated.translations[index]
        if entry.outcome != media_pb2.OUTCOME_SKIPPED:
            text = entry.text if entry.HasField("text") else None
            told = {"text": text, "outcome": outcome_name(entry.outcome), "reason": entry.reason or None}
            # Absent without one, so that documents without doubts are what they were.
            doubts = {"doubts": list(entry.doubts)} if entry.doubts else {}
            translations[translated.language_code] = told | doubts
    value: Json = {
        "start_s": number(segment.start_s, 3),
        "end_s": number(segment.end_s, 3),
        "text": segment.text,
        "language": segment_language(segment, transcript) or None,
        "flags": [
            transcriber_pb2.SegmentFlag.Name(flag).removeprefix("SEGMENT_FLAG_") for flag in segment.flags
        ],
        "words": [_word(word) for word in segment.words],
        "translations": translations,
    }
    voice = voice_of(outputs.diarization, segment.start_s, segment.end_s)
    return value if voice is None else value | {"voice": voice}


def _word(word: media_pb2.Word) -> Json:
    return {
        "start_s": number(word.start_s, 3),
        "end_s": number(word.end_s, 3),
        "text": word.text,
        "probability": optional(word, "probability", 4),
        "interpolated": word.interpolated,
    }


def assessment_of(outputs: AnswerOutputs) -> Json:
    """Return the judgement, with the sentences that it rests on."""
    record, assessment = outputs.records[ASSESS], outputs.assessment
    if assessment is None:
        return {
            "method": None,
            "outcome": record.outcome,
            "reason": record.message or None,
            "criteria": [],
            "sentences": [],
            "total_score": None,
            "scored_criterion_count": None,
            "criterion_count": None,
        }
    scored_count, count = criterion_counts(outputs)
    return {
        "method": assessment.method,
        "rubric": _rubric(assessment.provenance),
        "outcome": outcome_name(assessment.outcome),
        "reason": assessment.reason or None,
        "criteria": [_criterion(outputs, assessment, criterion) for criterion in assessment.criteria],
        "sentences": [_sentence(sentence) for sentence in assessment.sentences],
        "total_score": optional(assessment, "total_score", 2),
        "scored_criterion_count": scored_count,
        "criterion_count": count,
        "conclusion_absent_reason": assessment.conclusion_absent_reason or None,
    }


def _rubric(provenance: assessor_pb2.AssessmentProvenance) -> Json | None:
    """Say which rubric judged the answer. Answers of one session may have different ones."""
    if not provenance.rubric_id:
        return None
    return {
        "id": provenance.rubric_id,
        "version": provenance.rubric_version or None,
        "sha256": provenance.rubric_digest or None,
    }


def _criterion(
    outputs: AnswerOutputs, assessment: assessor_pb2.Assessment, criterion: assessor_pb2.CriterionAssessment
) -> Json:
    sentences = {sentence.id: sentence for sentence in assessment.sentences}
    cited = [sentences[name] for name in criterion.evidence_sentence_ids if name in sentences]
    return {
        "id": criterion.id,
        "name": criterion.name,
        "outcome": outcome_name(criterion.outcome),
        "reason": criterion.reason or None,
        "level": optional(criterion, "level", 3),
        "score": optional(criterion, "score", 2),
        "weight": optional(criterion, "weight_ratio", 6),
        "evidence": [_evidence(outputs, sentence) for sentence in cited],
        "strengths": [_remark(remark) for remark in criterion.strengths],
        "gaps": [_remark(remark) for remark in criterion.gaps],
        "spread": optional(criterion, "spread_levels", 3),
    }


def _evidence(outputs: AnswerOutputs, sentence: assessor_pb2.Sentence) -> Json:
    value: Json = {"sentence_id": sentence.id, "start_s": None, "end_s": None, "other_voice": False}
    if sentence.HasField("start_s") and sentence.HasField("end_s"):
        # The level stays what it is: diarization errs, and a person decides.
        voice = voice_of(outputs.diarization, sentence.start_s, sentence.end_s)
        value |= {"start_s": number(sentence.start_s, 3), "end_s": number(sentence.end_s, 3)}
        value["other_voice"] = voice not in (None, 0)
    return value


def _remark(remark: assessor_pb2.Remark) -> Json:
    return {"text": remark.text, "sentence_ids": list(remark.sentence_ids)}


def _sentence(sentence: assessor_pb2.Sentence) -> Json:
    return {
        "id": sentence.id,
        "text": sentence.text,
        "start_s": optional(sentence, "start_s", 3),
        "end_s": optional(sentence, "end_s", 3),
        "tag": sentence.tag or None,
        "tag_probability": optional(sentence, "tag_probability", 4),
        "excluded_reason": sentence.excluded_reason or None,
    }
