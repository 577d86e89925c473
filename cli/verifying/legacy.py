"""The original system's keys say the same as the others, and the verdicts follow from their parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from cli.verifying.checks import Checks, Json, Pair, compared
from cli.verifying.scores import is_read

SAFE, MEDIUM, HIGH, NO_DATA = "Safe", "Medium Risk", "High Risk", "No Data"
SEVERITY = (NO_DATA, SAFE, MEDIUM, HIGH)

HALF = 0.5051
"""How far a whole number may lie from the number with two digits that it was rounded from."""
TENTH = 0.0552
"""The same for a number with one digit."""
TWICE = ("transkripsi_en", "transkripsi_id", "cheating_detection", "non_verbal_analysis")
"""What stands in `results` and again in `content`."""
SCORES = {"kualitas_jawaban": "answer_quality", "relevansi": "relevance", "koherensi": "coherence"}


def check_verdicts(document: Json) -> Checks:
    """Check that each verdict follows from its parts, and that of the session from the answers'."""
    pairs = [
        Pair(f"answer {one['position']}", one["verdict"]["value"] or NO_DATA, _verdict(one))
        for one in document["results"]
        if "verdict" in one
    ]
    yield from compared("verdicts from picture and sound", pairs)
    yield from compared("verdicts of the session", _session_verdicts(document))


def check_legacy(document: Json) -> Checks:
    """Check what the original system's pages are told."""
    yield from compared("legacy keys of the session", _session(document))
    read = [answer for answer in document["results"] if is_read(answer)]
    for answer, content in zip(read, document["content"], strict=False):
        name = f"answer {answer['position']}"
        yield from compared(f"{name}, legacy copies", _copies(answer, content["result"]))
        yield from compared(f"{name}, legacy scores", _scores(answer, content["result"]["penilaian"]))


def _verdict(answer: Json) -> str:
    verdict = answer["verdict"]
    return _combined([verdict[part]["value"] or NO_DATA for part in ("picture", "sound")])


def _combined(verdicts: Iterable[str]) -> str:
    parts = list(verdicts)
    worst = max(parts, key=SEVERITY.index, default=NO_DATA)
    return worst if worst in (MEDIUM, HIGH) or set(parts) == {SAFE} else NO_DATA


def _session_verdicts(document: Json) -> Iterator[Pair]:
    answers, aggregate = document["results"], document["aggregate_cheating_detection"]
    if not all("verdict" in answer for answer in answers):
        return
    verdicts = [answer["verdict"]["value"] or NO_DATA for answer in answers]
    counts = Counter(verdicts)
    distribution = {name: counts[name] for name in SEVERITY}
    yield Pair("verdict_distribution", aggregate["verdict_distribution"], distribution)
    yield Pair("final_aggregate_verdict", aggregate["final_aggregate_verdict"], _combined(verdicts))
    flagged = [one["position"] for one in answers if (one["verdict"]["value"] or NO_DATA) in (MEDIUM, HIGH)]
    issues = [one["question_id"] for one in aggregate["questions_with_issues"]]
    yield Pair("questions_with_issues", issues, flagged)


def _session(document: Json) -> Iterator[Pair]:
    answers, metadata = document["results"], document["metadata"]
    read = [answer for answer in answers if is_read(answer)]
    yield Pair("session", document["session"], document["session_id"])
    yield Pair("success", document["success"], bool(read))
    yield Pair("total_videos", metadata["total_videos"], len(answers))
    yield Pair("successful_videos", metadata["successful_videos"], len(read))
    yield Pair("failed_videos", metadata["failed_videos"], len(answers) - len(read))
    asked = [(answer["position"], answer["pertanyaan"]) for answer in read]
    yield Pair("content", [(one["id"], one["question"]) for one in document["content"]], asked)
    if (totals := document.get("totals")) is not None:
        for key in ("avg_total_llm", "final_score_llm"):
            mean = totals["mean_total_score"] or 0
            yield Pair(key, document["llm_results"][key], mean, TENTH)
        yield Pair("outcome", document["llm_results"]["outcome"], totals["outcome"])


def _copies(answer: Json, result: Json) -> Iterator[Pair]:
    for key in TWICE:
        yield Pair(key, result[key], answer[key])
    words = sum(len(segment["words"]) for segment in answer["transcript"]["segments"])
    yield Pair("word_count", result["metadata"]["word_count"], words)
    if "verdict" in answer:
        verdict = answer["verdict"]["value"] or NO_DATA
        yield Pair("final_verdict", answer["cheating_detection"]["final_verdict"], verdict)


def _scores(answer: Json, judgement: Json) -> Iterator[Pair]:
    assessment = answer["assessment"]
    scores = {criterion["id"]: criterion["score"] for criterion in assessment["criteria"]}
    for key, identifier in SCORES.items():
        yield Pair(key, judgement[key], scores.get(identifier) or 0, HALF)
    yield Pair("total", judgement["total"], assessment["total_score"] or 0, HALF)
    quality = scores.get("answer_quality")
    ten = None if quality is None else min(10.0, max(1.0, quality / 10))
    yield Pair("kualitas_jawaban of 10", answer["kualitas_jawaban"], ten, HALF)
