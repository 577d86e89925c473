"""Finds what the wording of a sentence hints at: deeds, particulars, habits, claims, the question read back.

Words only, in English and Indonesian, and no embeddings. A cue is a figure from 0 to 1 for one sentence. None
decides anything alone: what each is worth for a kind of sentence, or for a level, was fitted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from services.assessor.attribution import tells_of_others
from services.assessor.sentences import Sentence
from services.assessor.yaml_text import parsed

CUE_WORDS_DIR = Path(__file__).parent / "cue_words"
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
NAME = re.compile(r"(?<=[\w,;] )(?!I\b)[A-Z][\w’']+")
"""A capital inside a sentence: a person, a place, a month. Transcripts without capitals have none."""
STEM_LETTERS = 4
"""Words are compared by their first letters (handle, handled; bongkar, bongkarnya): at least so many."""
LONG_SENTENCE_WORDS = 25
SHORT_SENTENCE_WORDS = 4
REMEMBERED_SENTENCES = 50
"""A repetition is looked for among so many sentences before it, so that an hour of speech takes no longer."""
ALIKE_SHARE = 0.6
"""Share of words in common from which on a sentence repeats another one."""
PARTICULAR_WEIGHTS = {
    "time_once": 0.5,
    "quantity": 0.4,
    "name": 0.4,
    "place": 0.5,
    "past_other": 0.4,
    "speech": 0.4,
    "trouble": 0.3,
    "deed": 0.3,
    "deed_clipped": 0.3,
}
"""How much one hit of a cue adds to what a sentence has of particulars. Any two of them are most of it."""
PICTURED = ("time_once", "quantity", "name", "place", "speech", "trouble")
"""Cues that a claim has to have some of, so that it is more than one."""
CARRYING = (
    "first_person",
    "we",
    "deed_clipped",
    "habit",
    "generic",
    "virtue",
    "claim",
    "work",
    "time_once",
    "was",
    "past_other",
    "trouble",
    "others",
    "outcome",
    "lesson",
    "topic",
)
"""An answer with none of these, in which word lists find nothing either, carries nothing."""

Cues = Mapping[str, float]


@dataclass(frozen=True)
class CueWords:
    """A pattern by cue, over all languages, and words that say nothing of a subject."""

    patterns: Mapping[str, re.Pattern[str]]
    stop_words: frozenset[str]

    def names(self) -> tuple[str, ...]:
        """Name the cues in the order in which they are computed."""
        return (*self.patterns, *COMPUTED)


COMPUTED = (
    "name",
    "echo",
    "topic",
    "link",
    "repeat",
    "asks",
    "long",
    "short",
    "of_others",
    "particulars",
    "hollow",
    "deed_before",
    "position",
    "last",
)
"""Cues that follow from a sentence's place, its neighbours, the question or other cues."""


def read_cue_words(directory: Path = CUE_WORDS_DIR, lexicon_dir: Path | None = None) -> CueWords:
    """Read the patterns of all languages as one: answers mix them."""
    files = [parsed(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.yaml"))]
    lexicons = sorted((lexicon_dir or directory.parent / "lexicon").glob("*.yaml"))
    stops = [parsed(path.read_text(encoding="utf-8"))["stop"] for path in lexicons]
    cues = [name for name in files[0] if name != "parts"]
    return CueWords(
        patterns={
            cue: re.compile(
                "|".join(
                    _written_out(pattern, file["parts"]) for file in files for pattern in file.get(cue, ())
                ),
                re.IGNORECASE,
            )
            for cue in cues
        },
        stop_words=frozenset(str(word) for words in stops for word in words),
    )


def find_cues(words: CueWords, question: str, sentences: Sequence[Sentence]) -> list[dict[str, float]]:
    """Find the cues of every sentence of an answer.

    Args:
        words: The patterns.
        question: The question that was answered, or nothing.
        sentences: In the order in which they were said.

    Returns:
        For each sentence its cues from 0 to 1, in the order of `CueWords.names`.
    """
    asked = _stems(question, words.stop_words)
    stems = [_stems(sentence.text, words.stop_words) for sentence in sentences]
    spread = Counter(stem for own in stems for stem in own)
    found: list[dict[str, float]] = []
    deed_before = 0.0
    for place, sentence in enumerate(sentences):
        cues = {
            cue: _saturated(len(pattern.findall(sentence.text))) for cue, pattern in words.patterns.items()
        }
        cues |= _computed(sentence, stems, spread, place, asked)
        cues |= _particulars(cues)
        cues["deed_before"] = deed_before
        cues["position"] = place / max(1, len(sentences) - 1)
        cues["last"] = float(place == len(sentences) - 1)
        deed_before = max(deed_before, cues["deed"], cues["deed_clipped"])
        found.append(cues)
    return found


def _computed(
    sentence: Sentence,
    stems: Sequence[frozenset[str]],
    spread: Mapping[str, int],
    place: int,
    asked: frozenset[str],
) -> dict[str, float]:
    own, count = stems[place], sentence.word_count()
    before = stems[max(0, place - REMEMBERED_SENTENCES) : place]
    return {
        "name": _saturated(len(NAME.findall(sentence.text))),
        # The question read back: most of the sentence's own words are the question's.
        "echo": len(own & asked) / len(own) if len(own & asked) > 1 else 0.0,
        "topic": _saturated(len(own & asked)),
        "link": sum(spread[stem] > 1 for stem in own) / len(own) if own else 0.0,
        "repeat": float(any(_alike(own, earlier) for earlier in before)),
        "asks": float(sentence.text.rstrip().endswith("?")),
        "long": min(1.0, count / LONG_SENTENCE_WORDS),
        "short": float(count <= SHORT_SENTENCE_WORDS),
        "of_others": float(tells_of_others(sentence.text)),
    }


def _particulars(cues: Cues) -> dict[str, float]:
    """Say how much of a sentence can be pictured, and how far it claims something without any of that."""
    talk = 1.0 - (1.0 - cues["claim"]) * (1.0 - cues["virtue"])
    return {
        "particulars": 1.0 - _missing(cues, PARTICULAR_WEIGHTS),
        # "I took action" is a deed in its form alone.
        "hollow": talk * _missing(cues, {cue: PARTICULAR_WEIGHTS[cue] for cue in PICTURED}),
    }


def _missing(cues: Cues, weights: Mapping[str, float]) -> float:
    return reduce(
        lambda rest, item: rest * (1.0 - min(1.0, 2 * item[1] * cues[item[0]])), weights.items(), 1.0
    )


def _saturated(count: int) -> float:
    """One hit is a half, two are three quarters: an answer is not better for saying it again."""
    return 1.0 - 0.5**count


def _stems(text: str, stop_words: frozenset[str]) -> frozenset[str]:
    words = (word.lower() for word in WORD.findall(text))
    return frozenset(
        word[: max(STEM_LETTERS, len(word) * 3 // 4)]
        for word in words
        if len(word) >= STEM_LETTERS and word not in stop_words
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other) and len(one & other) >= ALIKE_SHARE * len(one | other)


def _written_out(pattern: str, parts: Mapping[str, str]) -> str:
    return reduce(lambda text, part: text.replace(f"<{part[0]}>", part[1]), parts.items(), pattern)
