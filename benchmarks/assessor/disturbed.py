"""How steady levels are where nothing but the transcript changes: `python -m benchmarks.assessor.disturbed`.

The same answers with one word in ten misheard, without punctuation and capitals, and cut into other segments,
and further ones in English and in Indonesian, translated by hand. Judged by word lists, since a model would
have to be asked about each again.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from benchmarks.assessor.corpus import Case, read_all_cases, read_pairs
from benchmarks.assessor.figures import estimate, rank_correlation, to_columns
from benchmarks.assessor.judges import CRITERION_ID, NO_EVIDENCE_LEVEL, Verdict
from chassis.deadline import Deadline
from services.assessor.answer import Answer, Segment
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.engine import Assessor
from services.assessor.fitted import BASELINE
from services.assessor.judging import BaselineJudge
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.weighing import read_weighings

ERROR_SHARE = 0.1
SMALL_MOVE = 0.5
WORDS_A_SEGMENT = 7
SEED = 0

Change = Callable[[Sequence[str], random.Random], list[str]]


def misheard(texts: Sequence[str], draw: random.Random) -> list[str]:
    """Drop, double or swap letters of one word in ten, as a transcriber would mishear it."""
    return [" ".join(_misheard(word, draw) for word in text.split()) for text in texts]


def unpunctuated(texts: Sequence[str], _: random.Random) -> list[str]:
    """Take punctuation and capitals away, and run all into one segment."""
    return [re.sub(r"[^\w\s'’-]", "", " ".join(texts)).lower()]


def resegmented(texts: Sequence[str], _: random.Random) -> list[str]:
    """Cut the same words into segments of equal length, wherever that falls."""
    words = " ".join(texts).split()
    return [
        " ".join(words[start : start + WORDS_A_SEGMENT]) for start in range(0, len(words), WORDS_A_SEGMENT)
    ]


CHANGES: Mapping[str, Change] = {
    "misheard": misheard,
    "unpunctuated": unpunctuated,
    "resegmented": resegmented,
}


def measure(cases: Sequence[Case]) -> dict[str, float]:
    """Judge answers as they are and changed: the mean move, and the share that moves half a level at most."""
    assessor = _assessor()
    draw = random.Random(SEED)
    moves: dict[str, list[float]] = {name: [] for name in CHANGES}
    for case in cases:
        texts = [item.text for item in case.sentences]
        before = _level(assessor, case, texts)
        for name, change in CHANGES.items():
            moves[name].append(abs(_level(assessor, case, change(texts, draw)) - before))
    figures = {f"move_{name}": fmean(found) for name, found in moves.items()}
    figures |= {
        f"steady_{name}": fmean(move <= SMALL_MOVE for move in found) for name, found in moves.items()
    }
    return {name: round(value, 3) for name, value in figures.items()}


def measure_pairs(pairs: Sequence[tuple[Case, Case]]) -> dict[str, float]:
    """Judge answers in two languages: how far their levels lie apart, and how each language follows the plan.

    A rank correlation of fewer answers than are needed for one is left out.
    """
    assessor = _assessor()
    levels = [
        tuple(_level(assessor, case, [item.text for item in case.sentences]) for case in pair)
        for pair in pairs
    ]
    moves = [abs(one - other) for one, other in levels]
    figures = {"move_translated": fmean(moves), "steady_translated": fmean(m <= SMALL_MOVE for m in moves)}
    for place in range(2):
        judged = [(pair[place], Verdict(found[place])) for pair, found in zip(pairs, levels, strict=True)]
        ranks = estimate(to_columns(judged), rank_correlation).value
        if ranks is not None:
            figures[f"spearman_pairs_{pairs[0][place].language_code}"] = ranks
    return {name: round(value, 3) for name, value in figures.items()}


def _assessor() -> Assessor:
    return Assessor(
        model_judge=None,
        baseline_judge=BaselineJudge(Baseline(read_lexicon()), read_weighings()(BASELINE)),
        rubrics=read_rubrics(RUBRICS_DIR),
        language_codes=["en", "id"],
    )


def _level(assessor: Assessor, case: Case, texts: Sequence[str]) -> float:
    answer = Answer(case.question, tuple(map(Segment, texts)), case.language_code)
    criteria = assessor.assess(answer, Deadline(None)).criteria
    level = next(criterion.level for criterion in criteria if criterion.id == CRITERION_ID)
    return NO_EVIDENCE_LEVEL if level is None else level


def _misheard(word: str, draw: random.Random) -> str:
    if draw.random() >= ERROR_SHARE:
        return word
    place = draw.randrange(len(word))
    return draw.choice(
        [word[:place] + word[place + 1 :], word[:place] + word[place] * 2 + word[place + 1 :], ""]
    )


def main() -> None:
    """Print the figures as JSON."""
    print(json.dumps(measure(read_all_cases()) | measure_pairs(read_pairs())))


if __name__ == "__main__":
    main()
