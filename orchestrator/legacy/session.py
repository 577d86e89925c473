"""Pure: the original system's root keys, from all answers of a session.

The summary of the non-verbal figures keeps its literal shape: the original's page reads it by
regular expression. A figure that was not measured is said to be so, and the page shows "N/A".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from orchestrator.languages import base_language
from orchestrator.legacy import answer as legacy
from orchestrator.result.answer import text_in
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.figures import AnswerFigures
from orchestrator.result.metadata import SessionMetadata
from orchestrator.result.scores import (
    COHERENCE,
    QUALITY,
    RELEVANCE,
    assess_outcome,
    criterion_outcome,
    criterion_score,
    total_score,
)
from orchestrator.result.session_summary import summarise
from orchestrator.result.totals import totals_of
from orchestrator.result.values import Json, absent, mean, number, number_or_null, number_or_zero
from orchestrator.result.verdicts import HIGH, MEDIUM, NO_DATA, SAFE, combined, observed_frame_count
from orchestrator.workflow import ASSESS, OK, SPEAKER, TRANSCRIBE, TRANSLATE, VISION

Pairs = Sequence[tuple[AnswerOutputs, AnswerFigures]]

LANGUAGE_NAMES = {"en": "English", "id": "Indonesian"}
RISK_LEVEL = "Unknown"
"""Of the four words that the original writes, the one that says nothing of a person."""
PERFORMANCE_STATUS = "Not judged"
"""The original's pages show this text as it is. Nothing here judges a performance."""
LABEL = "measured"
"""The original's pages colour some adjectives. This one they don't, and it claims nothing."""


def root(
    metadata: SessionMetadata, answers: Sequence[AnswerOutputs], figures: Sequence[AnswerFigures]
) -> Json:
    """Return the original's root keys."""
    everything = list(zip(answers, figures, strict=True))
    pairs = [(one, of_one) for one, of_one in everything if one.is_assessed]
    return {
        "success": bool(pairs),
        "name": metadata.candidate_name,
        "session": metadata.session_id,
        "llm_results": _llm_results(metadata, answers),
        "aggregate_cheating_detection": _aggregate_cheating(everything),
        "aggregate_non_verbal_analysis": _aggregate_non_verbal(pairs),
        "content": [_content(metadata, one, of_one) for one, of_one in pairs],
        "metadata": _metadata(metadata, answers, len(pairs)),
    }


def _llm_results(metadata: SessionMetadata, answers: Sequence[AnswerOutputs]) -> Json:
    totals = totals_of(answers)
    assessed = totals.assessed
    return {
        "kesimpulan_llm": summarise(answers, metadata.reader_language),
        "rata_rata_confidence_score": round(number_or_zero(mean(_tag_confidence(one) for one in assessed))),
        "avg_total_llm": number_or_zero(totals.mean_total_score, 1),
        "final_score_llm": number_or_zero(totals.mean_total_score, 1),
        "avg_logprobs_confidence": number_or_null(mean(_tag_confidence(one) for one in assessed)),
        "method": next((one.assessment.method for one in assessed if one.assessment is not None), None),
        "outcome": totals.outcome,
    }


def _tag_confidence(outputs: AnswerOutputs) -> float | None:
    """Return the model's own mean probability of what it said of the sentences, in percent."""
    sentences = outputs.assessment.sentences if outputs.assessment else []
    value = mean(s.tag_probability for s in sentences if s.HasField("tag_probability"))
    return None if value is None else 100 * value


def _aggregate_cheating(pairs: Pairs) -> Json:
    verdict = combined(figures.verdict for _, figures in pairs)
    counts = Counter(figures.verdict for _, figures in pairs)
    score = mean(figures.visual_score_percent for _, figures in pairs)
    found = mean(figures.confidence_percent for _, figures in pairs)
    confidence = None if verdict == NO_DATA else found
    flagged = [(one, of_one) for one, of_one in pairs if of_one.verdict in (MEDIUM, HIGH)]
    return {
        "avg_cheating_score": number_or_zero(score),
        "avg_visual_confidence": number_or_zero(mean(f.picture.confidence_percent for _, f in pairs)),
        "avg_audio_confidence": number_or_zero(mean(f.sound.confidence_percent for _, f in pairs)),
        "avg_overall_confidence": number_or_zero(confidence),
        "total_suspicious_frames": sum(observed_frame_count(one) for one, _ in pairs),
        "avg_silhouette_score": None,
        "verdict_distribution": {name: counts[name] for name in (SAFE, MEDIUM, HIGH, NO_DATA)},
        "final_aggregate_verdict": verdict,
        "risk_level": RISK_LEVEL,
        "overall_performance_status": PERFORMANCE_STATUS,
        "questions_with_issues": [_issue(one, of_one) for one, of_one in flagged],
        "all_indicators": [
            {"question_id": one.position, "question": one.answer.question, "indicator": text}
            for one, of_one in pairs
            for text in of_one.indicators
        ],
        "summary": _cheating_summary(pairs, flagged, score, confidence),
        "outcome": OK
        if verdict != NO_DATA
        else next((f.outcome for _, f in pairs if f.outcome != OK), "SKIPPED"),
    }


def _issue(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    block = legacy.cheating(outputs, figures)
    return {
        "question_id": outputs.position,
        "question": outputs.answer.question,
        "verdict": figures.verdict,
        "cheating_score": block["visual"]["cheating_score"],
        "visual_confidence": block["visual"]["confidence"]["average"],
        "audio_confidence": block["audio"]["confidence"],
        "num_speakers": block["audio"]["num_speakers"],
        "indicators": block["all_indicators"],
    }


def _cheating_summary(pairs: Pairs, flagged: Pairs, score: float | None, confidence: float | None) -> str:
    seen, heard = (
        sum(part.verdict != NO_DATA for part in parts)
        for parts in ([f.picture for _, f in pairs], [f.sound for _, f in pairs])
    )
    parts = [
        f"There is a verdict on the picture of {seen} and the sound of {heard} of {len(pairs)} answer(s)."
    ]
    if score is not None:
        parts.append(f"Something was observed in the picture for {score:.1f}% of the time on average.")
    if confidence is not None:
        parts.append(f"Overall confidence: {confidence:.1f}%.")
    parts.append(f"{len(flagged)} answer(s) with observations that a person should look at.")
    return " ".join(parts)


def _aggregate_non_verbal(pairs: Pairs) -> Json:
    coverage = mean(figures.coverage_percent for _, figures in pairs)
    return {
        "overall_performance_status": PERFORMANCE_STATUS,
        "overall_confidence_score": number_or_zero(coverage),
        "summary": _non_verbal_summary(pairs),
        "outcome": OK if coverage is not None else "SKIPPED",
    }


def _non_verbal_summary(pairs: Pairs) -> str:
    def shown(group: str, name: str, digits: int, unit: str = "", factor: float = 1.0) -> str:
        found = [getattr(figures, group).get(name) for _, figures in pairs]
        value = mean(one.value for one in found if one is not None)
        return "not measured" if value is None else f"{max(0.0, factor * value):.{digits}f}{unit} ({LABEL})"

    return (
        f"speaking ratio {shown('speech', 'speaking_ratio', 3)}, pauses {shown('speech', 'pause_count', 2)}, "
        f"speech rate {shown('speech', 'speech_rate', 2, ' wpm')} "
        f"smile intensity = {shown('vision', 'smile_intensity', 4)}, "
        f"eyebrow movement = {shown('vision', 'brow_movement', 4)} "
        f"eye contact = {shown('vision', 'eye_contact_ratio', 2, '%', 100)}, "
        f"blink rate = {shown('vision', 'blink_rate', 2)}"
    )


def _content(metadata: SessionMetadata, outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    transcript = outputs.transcript
    sure = [
        mean(word.probability for word in segment.words if word.HasField("probability"))
        for segment in (transcript.segments if transcript is not None else [])
    ]
    known = [value for value in sure if value is not None]
    average = (
        transcript.mean_word_probability
        if transcript is not None and transcript.HasField("mean_word_probability")
        else None
    )
    language = base_language(transcript.language_code) if transcript is not None else ""
    return {
        "id": outputs.position,
        "question": outputs.answer.question,
        "result": {
            "penilaian": _judgement(outputs),
            "non_verbal_analysis": legacy.non_verbal(outputs, figures),
            "non_verbal_confidence_score": number_or_zero(figures.coverage_percent),
            "transkripsi_en": text_in(outputs, "en")[0],
            "transkripsi_id": text_in(outputs, "id")[0],
            "transkripsi_confidence": number_or_zero(None if average is None else 100 * average),
            "transkripsi_min_confidence": number_or_null(100 * min(known) if known else None),
            "transkripsi_max_confidence": number_or_null(100 * max(known) if known else None),
            "transkripsi_outcome": outputs.outcome(TRANSCRIBE),
            "cheating_detection": legacy.cheating(outputs, figures),
            "metadata": {
                "word_count": sum(len(s.words) for s in transcript.segments) if transcript else 0,
                "processed_at": metadata.processed_at,
                "logprobs_enabled": _token_probabilities(outputs),
                "source_language": LANGUAGE_NAMES.get(language, language or "Unknown"),
            },
        },
    }


def _token_probabilities(outputs: AnswerOutputs) -> bool:
    return outputs.assessment is not None and outputs.assessment.provenance.token_probabilities


def _judgement(outputs: AnswerOutputs) -> Json:
    confidence, total = _tag_confidence(outputs), total_score(outputs)
    outcome = assess_outcome(outputs)
    return {
        "confidence_score": number_or_zero(confidence),
        "kualitas_jawaban": round(number_or_zero(criterion_score(outputs, QUALITY))),
        "relevansi": round(number_or_zero(criterion_score(outputs, RELEVANCE))),
        "koherensi": round(number_or_zero(criterion_score(outputs, COHERENCE))),
        "analisis_llm": _analysis(outputs),
        "total": round(number_or_zero(total)),
        "logprobs_confidence": number_or_null(confidence),
        "logprobs_probability": None if confidence is None else number(confidence / 100, 4),
        "logprobs_available": _token_probabilities(outputs),
        "method": outputs.assessment.method if outputs.assessment is not None else None,
        "outcome": absent(outcome) if total is None else OK,
        "outcomes": {
            "kualitas_jawaban": criterion_outcome(outputs, QUALITY),
            "relevansi": criterion_outcome(outputs, RELEVANCE),
            "koherensi": criterion_outcome(outputs, COHERENCE),
        },
    }


def _analysis(outputs: AnswerOutputs) -> str:
    """Return the conclusion, or what is there and what is missing, or why there is neither."""
    assessment = outputs.assessment
    if assessment is None:
        return outputs.records[ASSESS].message
    if assessment.HasField("conclusion"):
        return str(assessment.conclusion)
    remarks = [
        remark.text for criterion in assessment.criteria for remark in (*criterion.strengths, *criterion.gaps)
    ]
    return " ".join(dict.fromkeys(remarks)) or assessment.reason


def _metadata(metadata: SessionMetadata, answers: Sequence[AnswerOutputs], successful: int) -> Json:
    def model(stage: str) -> str | None:
        return next(
            (one.records[stage].model.get("name") for one in answers if one.records[stage].model), None
        )

    methods = [one.assessment.method for one in answers if one.assessment is not None]
    return {
        "total_videos": len(answers),
        "successful_videos": successful,
        "failed_videos": len(answers) - successful,
        "total_duration_seconds": number_or_zero(
            sum(one.extraction.duration_s for one in answers if one.extraction is not None)
        ),
        "processed_at": metadata.processed_at,
        "model": model(TRANSCRIBE),
        "llm_model": model(ASSESS) or next(iter(methods), None),
        "translation_model": model(TRANSLATE),
        "vision_model": model(VISION),
        "speaker_model": model(SPEAKER),
    }
