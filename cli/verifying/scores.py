"""Scores from levels, totals from scores and weights, and what the totals come to: computed again."""

from __future__ import annotations

from collections.abc import Iterator

from cli.verifying.checks import Check, Checks, Json, Pair, Verdict, compared

LOWEST_LEVEL, HIGHEST_LEVEL = 1, 5
SCORE_TOLERANCE = 0.0176
"""A level has three digits and is worth 25 points each, a score has two."""
TOTAL_TOLERANCE = 0.0102
"""Scores have two digits, and so have their mean and the mean of the means."""
WEIGHT_TOLERANCE = 1e-4


def is_read(answer: Json) -> bool:
    """Tell whether an answer's recording and words could be read."""
    return "error" not in answer


def check_scores(answer: Json) -> Checks:
    """Check the scores and the total of an answer that could be read."""
    name, assessment = f"answer {answer['position']}", answer["assessment"]
    criteria = assessment["criteria"]
    yield from compared(f"{name}, scores from levels", map(_score, criteria))
    if not criteria:
        return
    scored = [criterion for criterion in criteria if criterion["score"] is not None]
    if "criterion_count" in assessment:
        yield from compared(f"{name}, counts of criteria", _counts(assessment, scored))
    if any(criterion.get("weight") is None for criterion in criteria):
        note = "The document has no weights."
        yield Check(
            f"{name}, total from scores", Verdict.NOT_RECORDED, recorded=assessment["total_score"], note=note
        )
    else:
        yield from compared(f"{name}, total from scores", _total(assessment, scored))


def check_totals(document: Json) -> Checks:
    """Check what the document says of all answers together."""
    answers = document["results"]
    yield from compared("counts of answers", _answer_counts(document))
    if (totals := document.get("totals")) is None:
        yield Check("totals of the session", Verdict.NOT_RECORDED)
        return
    read = [answer for answer in answers if is_read(answer)]
    scored = [answer for answer in read if answer["assessment"]["total_score"] is not None]
    complete = [answer for answer in scored if _is_complete(answer["assessment"])]
    averaged = complete if len({_rubric(answer["assessment"]) for answer in complete}) == 1 else []
    mean = (
        sum(answer["assessment"]["total_score"] for answer in averaged) / len(averaged) if averaged else None
    )
    yield from compared(
        "totals of the session",
        [
            Pair("answers", totals["answer_count"], len(answers)),
            Pair("assessed", totals["assessed_count"], len(read)),
            Pair("scored", totals["scored_count"], len(scored)),
            Pair("averaged", totals["averaged_count"], len(averaged)),
            Pair("mean", totals["mean_total_score"], mean, TOTAL_TOLERANCE),
        ],
    )


def _score(criterion: Json) -> Pair:
    level = criterion["level"]
    score = None if level is None else 100 * (level - LOWEST_LEVEL) / (HIGHEST_LEVEL - LOWEST_LEVEL)
    return Pair(criterion["id"], criterion["score"], score, SCORE_TOLERANCE)


def _counts(assessment: Json, scored: list[Json]) -> Iterator[Pair]:
    yield Pair("scored", assessment["scored_criterion_count"], len(scored))
    yield Pair("all", assessment["criterion_count"], len(assessment["criteria"]))


def _total(assessment: Json, scored: list[Json]) -> Iterator[Pair]:
    criteria = assessment["criteria"]
    yield Pair("sum of the weights", sum(one["weight"] for one in criteria), 1.0, WEIGHT_TOLERANCE)
    recorded = assessment["total_score"]
    weight = sum(one["weight"] for one in scored)
    # Where some criteria have no score, the assessor may give no total.
    if weight and (recorded is not None or len(scored) == len(criteria)):
        total = sum(one["weight"] * one["score"] for one in scored) / weight
        yield Pair("total", recorded, total, TOTAL_TOLERANCE)
    else:
        yield Pair("total", recorded, None)


def _answer_counts(document: Json) -> Iterator[Pair]:
    answers, provenance = document["results"], document["provenance"]
    read = sum(map(is_read, answers))
    yield Pair("video_count", document["video_count"], len(answers))
    yield Pair("status", document["status"], "completed" if read else "failed")
    asked = [(one["position"], one["video_file"]) for one in provenance["inputs"]]
    yield Pair("inputs", asked, [(answer["position"], answer["video_file"]) for answer in answers])


def _is_complete(assessment: Json) -> bool:
    criteria = assessment["criteria"]
    return bool(criteria) and all(criterion["score"] is not None for criterion in criteria)


def _rubric(assessment: Json) -> tuple[object, ...]:
    rubric = assessment["rubric"] or {}
    identifiers = sorted(criterion["id"] for criterion in assessment["criteria"])
    return rubric.get("id"), rubric.get("sha256"), *identifiers
