"""What a model said of each answer, kept beside the answers so that fits and figures need no model.

One JSON line an answer: the probability of every tag for each sentence that was asked about, as the model
gave it (before anything is moved to others), and the log-odds of the checks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TextIO

from benchmarks.assessor.corpus import Case
from services.assessor.answer import Segment
from services.assessor.injection import find_exclusions
from services.assessor.prompts import Prompts, choose_prompts
from services.assessor.sentences import Sentence, split_sentences
from services.assessor.tags import Tag

OBSERVED_DIR = Path(__file__).parent / "observed"
DIGITS = 6
"""Probabilities and log-odds are rounded to so many places: below them a model repeats itself by chance."""


@dataclass(frozen=True)
class Observation:
    """What a model said of one answer."""

    digest: str
    """SHA-256 of what was asked about, and of which model."""
    case_id: str
    model: str
    prompt_version: str
    tags: tuple[Mapping[Tag, float], ...]
    """Of each sentence that was not left out, in order. The probabilities of one sum to 1."""
    checks: Mapping[str, float]
    """Log-odds of yes, by check."""


@cache
def asked_sentences(case: Case) -> tuple[Sentence, ...]:
    """Cut an answer as the assessor does, without the sentences that it leaves out."""
    sentences = split_sentences([Segment(sentence.text) for sentence in case.sentences])
    left_out = find_exclusions(sentences)
    return tuple(sentence for sentence in sentences if sentence.id not in left_out)


def digest_of(case: Case, prompts: Mapping[str, Prompts], model: str) -> str:
    """Name what is asked: the question, the sentences as they are cut, the prompts' version and the model."""
    version = choose_prompts(prompts, case.language_code).version
    sentences = [sentence.text for sentence in asked_sentences(case)]
    asked = json.dumps([case.question, sentences, case.language_code, version, model], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()


def read_observations(path: Path) -> dict[str, Observation]:
    """Read the observations of a file by digest. A line that was torn by a kill counts as not there."""
    found: dict[str, Observation] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            observation = _read_line(line)
            if observation is not None:
                found[observation.digest] = observation
    return found


def write_observation(file: TextIO, observation: Observation) -> None:
    """Append one line, whole."""
    document = {
        "digest": observation.digest,
        "case": observation.case_id,
        "model": observation.model,
        "prompts": observation.prompt_version,
        "tags": [_rounded(tags) for tags in observation.tags],
        "checks": _rounded(observation.checks),
    }
    file.write(json.dumps(document) + "\n")
    file.flush()


def observed(
    cases: Sequence[Case], observations: Mapping[str, Observation], prompts: Mapping[str, Prompts], model: str
) -> dict[str, Observation]:
    """Find the observations of some answers by the answers' ids, where there are any."""
    digests = {case.id: digest_of(case, prompts, model) for case in cases}
    return {name: observations[digest] for name, digest in digests.items() if digest in observations}


def _read_line(line: str) -> Observation | None:
    try:
        document = json.loads(line)
        return Observation(
            digest=document["digest"],
            case_id=document["case"],
            model=document["model"],
            prompt_version=document["prompts"],
            tags=tuple({Tag(tag): value for tag, value in tags.items()} for tags in document["tags"]),
            checks=document["checks"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _rounded(values: Mapping[str, float] | Mapping[Tag, float]) -> dict[str, float]:
    return {str(key): round(value, DIGITS) for key, value in values.items()}
