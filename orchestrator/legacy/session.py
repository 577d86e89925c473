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
from orchestrator.result.metadata import Frame
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
from orchestrator.result.values import Json, absent, mean, number, number_or_null, number_or_zero
from orchestrator.result.verdicts import HIGH, MEDIUM, NO_DATA, SAFE, pair_outcome, worst
from orchestrator.workflow import ASSESS, OK, SPEAKER, TRANSCRIBE, TRANSLATE, VISION

Pairs = Sequence[tuple[AnswerOutputs, AnswerFigures]]

RISK_LEVELS = {SAFE: "Clear", MEDIUM: "Warning", HIGH: "Critical", NO_DATA: "Unknown"}
STATUS_BANDS = ((80, "Very High"), (70, "Good"), (60, "Average"), (50, "Below Average"))
COVERAGE_BANDS = ((85, "Very High"), (75, "High"), (65, "Medium"), (50, "Low"))
LANGUAGE_NAMES = {"en": "English", "id": "Indonesian"}
LABEL_ALWAYS = float("-inf")
SPEAKING_LABELS = ((0.65, "very active"), (0.5, "fairly active"), (LABEL_ALWAYS, "less active"))
PAUSE_LABELS = ((40, "frequent pauses"), (25, "normal"), (LABEL_ALWAYS, "fluent"))
RATE_LABELS = ((165, "fast"), (135, "ideal"), (LABEL_ALWAYS, "slow"))
CONTACT_LABELS = ((75, "very good"), (55, "good"), (LABEL_ALWAYS, "low"))
BLINK_LABELS = ((25, "high"), (10, "normal"), (LABEL_ALWAYS, "low"))
"""The original's limits: a label holds above its limit."""
NO_NORM = ((LABEL_ALWAYS, "measured"),)
"""For figures without a known normal range: the original's limits belong to another unit."""


def _band(value: float | None, bands: Sequence[tuple[int, str]], lowest: str) -> str:
    if value is None:
        return "No Data"
    return next((name for limit, name in bands if value >= limit), lowest)


def root(frame: Frame, answers: Sequence[AnswerOutputs], figures: Sequence[AnswerFigures]) -> Json:
    """Return the original's root keys."""
    pairs = [(one, of_one) for one, of_one in zip(answers, figures, strict=True) if one.is_assessed]
    return {
        "success": bool(pairs),
        "name": frame.candidate_name,
        "session": frame.session_id,
        "llm_results": _llm_results(frame, [one for one, _ in pairs]),
        "aggregate_cheating_detection": _aggregate_cheating(pairs),
        "aggregate_non_verbal_analysis": _aggregate_non_verbal(pairs),
        "content": [_content(frame, one, of_one) for one, of_one in pairs],
        "metadata": _metadata(frame, answers, len(pairs)),
    }


def _llm_results(frame: Frame, answers: Sequence[AnswerOutputs]) -> Json:
    totals = [total_score(one) for one in answers]
    average = mean(totals)
    outcomes = [assess_outcome(one) for one in answers]
    absent = next((outcome for outcome in outcomes if outcome != OK), "SKIPPED")
    return {
        "kesimpulan_llm": summarise(answers, frame.reader_language),
        "rata_rata_confidence_score": round(number_or_zero(mean(_tag_confidence(one) for one in answers))),
        "avg_total_llm": number_or_zero(average, 1),
        "final_score_llm": number_or_zero(average, 1),
        "avg_logprobs_confidence": number_or_null(mean(_tag_confidence(one) for one in answers)),
        "method": next((one.assessment.method for one in answers if one.assessment is not None), None),
        "outcome": OK if average is not None else absent,
    }


def _tag_confidence(outputs: AnswerOutputs) -> float | None:
    """Return the model's own mean probability of what it said of the sentences, in percent."""
    sentences = outputs.assessment.sentences if outputs.assessment else []
    value = mean(s.tag_probability for s in sentences if s.HasField("tag_probability"))
    return None if value is None else 100 * value


def _aggregate_cheating(pairs: Pairs) -> Json:
    verdict = worst(figures.verdict for _, figures in pairs)
    counts = Counter(figures.verdict for _, figures in pairs)
    score = mean(figures.visual_score_percent for _, figures in pairs)
    confidence = mean(figures.confidence_percent for _, figures in pairs)
    flagged = [(one, of_one) for one, of_one in pairs if of_one.verdict in (MEDIUM, HIGH)]
    outcomes = [pair_outcome(one) for one, _ in pairs]
    return {
        "avg_cheating_score": number_or_zero(score),
        "avg_visual_confidence": number_or_zero(mean(f.visual_confidence_percent for _, f in pairs)),
        "avg_audio_confidence": number_or_zero(mean(f.audio_confidence_percent for _, f in pairs)),
        "avg_overall_confidence": number_or_zero(confidence),
        "total_suspicious_frames": sum(
            legacy.cheating(one, of_one)["visual"]["suspicious_frames"] for one, of_one in pairs
        ),
        "avg_silhouette_score": None,
        "verdict_distribution": {name: counts[name] for name in (SAFE, MEDIUM, HIGH, NO_DATA)},
        "final_aggregate_verdict": verdict,
        "risk_level": RISK_LEVELS[verdict],
        "overall_performance_status": _band(confidence, STATUS_BANDS, "Need Improvement"),
        "questions_with_issues": [_issue(one, of_one) for one, of_one in flagged],
        "all_indicators": [
            {"question_id": one.place, "question": one.answer.question, "indicator": text}
            for one, of_one in pairs
            for text in of_one.indicators
        ],
        "summary": _cheating_summary(pairs, flagged, score, confidence),
        "outcome": OK if verdict != NO_DATA else next(iter(outcomes), "SKIPPED"),
    }


def _issue(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    block = legacy.cheating(outputs, figures)
    return {
        "question_id": outputs.place,
        "question": outputs.answer.question,
        "verdict": figures.verdict,
        "cheating_score": block["visual"]["cheating_score"],
        "visual_confidence": block["visual"]["confidence"]["average"],
        "audio_confidence": block["audio"]["confidence"],
        "num_speakers": block["audio"]["num_speakers"],
        "indicators": block["all_indicators"],
    }


def _cheating_summary(pairs: Pairs, flagged: Pairs, score: float | None, confidence: float | None) -> str:
    parts = [f"Looked at {len(pairs)} answer(s) for observations in picture and sound."]
    if score is not None:
        parts.append(f"Something was observed in the picture for {score:.1f}% of the time on average.")
    if confidence is not None:
        parts.append(f"Overall confidence: {confidence:.1f}%.")
    parts.append(f"{len(flagged)} answer(s) with observations that a person should look at.")
    return " ".join(parts)


def _aggregate_non_verbal(pairs: Pairs) -> Json:
    coverage = mean(figures.coverage_percent for _, figures in pairs)
    return {
        "overall_performance_status": f"{_band(coverage, COVERAGE_BANDS, 'Very Low')} Confidence"
        if coverage is not None
        else "No Data",
        "overall_confidence_score": number_or_zero(coverage),
        "summary": _non_verbal_summary(pairs),
        "outcome": OK if coverage is not None else "SKIPPED",
    }


def _non_verbal_summary(pairs: Pairs) -> str:
    def figure(group: str, name: str, factor: float = 1.0) -> float | None:
        found = [getattr(figures, group).get(name) for _, figures in pairs]
        value = mean(one.value for one in found if one is not None)
        return None if value is None else factor * value

    ratio, pauses = figure("speech", "speaking_ratio"), figure("speech", "pause_count")
    rate, smile = figure("speech", "speech_rate"), figure("vision", "smile_intensity")
    brow, contact = figure("vision", "brow_movement"), figure("vision", "eye_contact_ratio", 100)
    blinks = figure("vision", "blink_rate")
    return (
        f"speaking ratio {_shown(ratio, 3, SPEAKING_LABELS)}, pauses {_shown(pauses, 2, PAUSE_LABELS)}, "
        f"speech rate {_shown(rate, 2, RATE_LABELS, ' wpm')} "
        f"smile intensity = {_shown(smile, 4, NO_NORM)}, eyebrow movement = {_shown(brow, 4, NO_NORM)} "
        f"eye contact = {_shown(contact, 2, CONTACT_LABELS, '%')}, "
        f"blink rate = {_shown(blinks, 2, BLINK_LABELS)}"
    )


def _shown(value: float | None, digits: int, labels: Sequence[tuple[float, str]], unit: str = "") -> str:
    if value is None:
        return "not measured"
    label = next(name for limit, name in labels if value > limit)
    return f"{max(0.0, value):.{digits}f}{unit} ({label})"


def _content(frame: Frame, outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
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
        "id": outputs.answer.position if outputs.answer.HasField("position") else outputs.place,
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
                "processed_at": frame.processed_at,
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


def _metadata(frame: Frame, answers: Sequence[AnswerOutputs], successful: int) -> Json:
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
        "processed_at": frame.processed_at,
        "model": model(TRANSCRIBE),
        "llm_model": model(ASSESS) or next(iter(methods), None),
        "translation_model": model(TRANSLATE),
        "vision_model": model(VISION),
        "speaker_model": model(SPEAKER),
    }
