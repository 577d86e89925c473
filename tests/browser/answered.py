"""Answers of a result document, as a page is given them."""

from __future__ import annotations

from typing import Any

from tests.browser.site import a_document


def answers(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return a document with one good answer for each change, which is laid over it."""
    document = a_document()
    first = document["results"][0]
    document["results"] = [first | {"position": place} | change for place, change in enumerate(changes, 1)]
    return document


def assessed(total: float | None, *levels: float | None, rubric: str = "general") -> dict[str, Any]:
    """Return an assessment by criteria `c1`, `c2`, … with these levels."""
    assessment: dict[str, Any] = a_document()["results"][0]["assessment"]
    criteria = [
        assessment["criteria"][0] | {"id": f"c{number}", "name": f"Criterion {number}", "level": level}
        | {"score": None if level is None else 25 * (level - 1)}
        for number, level in enumerate(levels, start=1)
    ]  # fmt: skip
    return assessment | {
        "total_score": total,
        "criteria": criteria,
        "rubric": {"id": rubric, "version": "1", "sha256": None},
        "scored_criterion_count": sum(level is not None for level in levels),
        "criterion_count": len(levels),
    }
