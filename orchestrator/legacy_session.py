"""Pure: the original system's root keys, from all answers of a session.

The summary of the non-verbal figures keeps its literal shape: the original's page reads it by
regular expression. A figure that was not measured is said to be so, and the page shows "N/A".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from orchestrator import legacy
from orchestrator.aggregate import (
    HIGH,
    MEDIUM,
    NO_DATA,
    SAFE,
    AnswerFigures,
    Findings,
    assess_outcome,
    mean,
    pair_outcome,
    worst,
)
from orchestrator.frame import Frame
from orchestrator.legacy import COHERENCE, QUALITY, RELEVANCE, always, criterion_score, perhaps, total_score
from orchestrator.requests import base_language
from orchestrator.session_summary import summarise
from orchestrator.workflow import ASSESS, OK, SPEAKER, TRANSCRIBE, TRANSLATE, VISION

Json = dict[str, Any]
Pairs = Sequence[tuple[Findings, AnswerFigures]]

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


def root(frame: Frame, answers: Sequence[Findings], figures: Sequence[AnswerFigures]) -> Json:
    """Return the original's root keys."""
    pairs = [(one, of_one) for one, of_one in zip(answers, figures, strict=True) if one.good]
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


def _llm_results(frame: Frame, answers: Sequence[Findings]) -> Json:
    totals = [total_score(one) for one in answers]
    average = mean(totals)
    outcomes = [assess_outcome(one) for one in answers]
    absent = next((outcome for outcome in outcomes if outcome != OK), "SKIPPED")
    return {
        "kesimpulan_llm": summarise(answers, frame.reader_language),
        "rata_rata_confidence_score": round(always(mean(_tag_confidence(one) for one in answers))),
        "avg_total_llm": always(average, 1),
        "final_score_llm": always(average, 1),
        "avg_logprobs_confidence": perhaps(mean(_tag_confidence(one) for one in answers)),
        "method": next((one.assessment.method for one in answers if one.assessment is not None), None),
        "outcome": OK if average is not None else absent,
    }


def _tag_confidence(findings: Findings) -> float | None:
    """Return the model's own mean probability of what it said of the sentences, in percent."""
    sentences = findings.assessment.sentences if findings.assessment else []
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
        "avg_cheating_score": always(score),
        "avg_visual_confidence": always(mean(f.visual_confidence_percent for _, f in pairs)),
        "avg_audio_confidence": always(mean(f.audio_confidence_percent for _, f in pairs)),
        "avg_overall_confidence": always(confidence),
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


def _issue(findings: Findings, figures: AnswerFigures) -> Json:
    block = legacy.cheating(findings, figures)
    return {
        "question_id": findings.place,
        "question": findings.answer.question,
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
        "overall_confidence_score": always(coverage),
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


def _content(frame: Frame, findings: Findings, figures: AnswerFigures) -> Json:
    from orchestrator.result_words import text_in

    transcript = findings.transcript
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
        "id": findings.answer.position if findings.answer.HasField("position") else findings.place,
        "question": findings.answer.question,
        "result": {
            "penilaian": _judgement(findings),
            "non_verbal_analysis": legacy.non_verbal(findings, figures),
            "non_verbal_confidence_score": always(figures.coverage_percent),
            "transkripsi_en": text_in(findings, "en")[0],
            "transkripsi_id": text_in(findings, "id")[0],
            "transkripsi_confidence": always(None if average is None else 100 * average),
            "transkripsi_min_confidence": perhaps(100 * min(known) if known else None),
            "transkripsi_max_confidence": perhaps(100 * max(known) if known else None),
            "transkripsi_outcome": findings.outcome(TRANSCRIBE),
            "cheating_detection": legacy.cheating(findings, figures),
            "metadata": {
                "word_count": sum(len(s.words) for s in transcript.segments) if transcript else 0,
                "processed_at": frame.processed_at,
                "logprobs_enabled": _token_probabilities(findings),
                "source_language": LANGUAGE_NAMES.get(language, language or "Unknown"),
            },
        },
    }


def _token_probabilities(findings: Findings) -> bool:
    return findings.assessment is not None and findings.assessment.provenance.token_probabilities


def _judgement(findings: Findings) -> Json:
    confidence, total = _tag_confidence(findings), total_score(findings)
    outcome = assess_outcome(findings)
    return {
        "confidence_score": always(confidence),
        "kualitas_jawaban": round(always(criterion_score(findings, QUALITY))),
        "relevansi": round(always(criterion_score(findings, RELEVANCE))),
        "koherensi": round(always(criterion_score(findings, COHERENCE))),
        "analisis_llm": _analysis(findings),
        "total": round(always(total)),
        "logprobs_confidence": perhaps(confidence),
        "logprobs_probability": None if confidence is None else legacy.number(confidence / 100, 4),
        "logprobs_available": _token_probabilities(findings),
        "method": findings.assessment.method if findings.assessment is not None else None,
        "outcome": legacy.absent(outcome) if total is None else OK,
        "outcomes": {
            "kualitas_jawaban": legacy.criterion_outcome(findings, QUALITY),
            "relevansi": legacy.criterion_outcome(findings, RELEVANCE),
            "koherensi": legacy.criterion_outcome(findings, COHERENCE),
        },
    }


def _analysis(findings: Findings) -> str:
    """Return the conclusion, or what is there and what is missing, or why there is neither."""
    assessment = findings.assessment
    if assessment is None:
        return findings.records[ASSESS].message
    if assessment.HasField("conclusion"):
        return str(assessment.conclusion)
    remarks = [
        remark.text for criterion in assessment.criteria for remark in (*criterion.strengths, *criterion.gaps)
    ]
    return " ".join(dict.fromkeys(remarks)) or assessment.reason


def _metadata(frame: Frame, answers: Sequence[Findings], successful: int) -> Json:
    def model(stage: str) -> str | None:
        return next(
            (one.records[stage].model.get("name") for one in answers if one.records[stage].model), None
        )

    methods = [one.assessment.method for one in answers if one.assessment is not None]
    return {
        "total_videos": len(answers),
        "successful_videos": successful,
        "failed_videos": len(answers) - successful,
        "total_duration_seconds": always(
            sum(one.extraction.duration_s for one in answers if one.extraction is not None)
        ),
        "processed_at": frame.processed_at,
        "model": model(TRANSCRIBE),
        "llm_model": model(ASSESS) or next(iter(methods), None),
        "translation_model": model(TRANSLATE),
        "vision_model": model(VISION),
        "speaker_model": model(SPEAKER),
    }
