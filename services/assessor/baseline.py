"""Tags sentences by word lists, without any model: what runs where none is configured.

It recognises how experience is usually told, not whether it is true or to the point. So it never claims
that a sentence is off the topic, and its levels by the rule end at `HIGHEST_LEVEL`. See `weighing.py` for the
criterion that is fitted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.assessor.levels import Level, find_level
from services.assessor.rubric import LOWEST_LEVEL, Criterion
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag, TaggedSentence
from services.assessor.yaml_text import parsed

LEXICON_DIR = Path(__file__).parent / "lexicon"
HIGHEST_LEVEL = 4.0
"""Word lists can't tell a good account from an excellent one."""
SHORTEST_STEM = 4
"""Question words are compared by their first letters (handle, handled), at least this many."""
STEM_SHARE = 0.75
ENOUGH_QUESTION_WORDS = 0.5
"""Nobody repeats a whole question: half of its words is as much as an answer to the point takes up."""
LEAST_WORDS = 3
"""A shorter sentence (`Yes, exactly.`) carries nothing on its own."""
NUMBER = re.compile(
    r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundred|"
    r"thousand|half|percent|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|sepuluh|belas|puluh|ratus|ribu|juta|"
    r"setengah|persen)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Lexicon:
    """Patterns by tag, and words that say nothing about a question's subject."""

    patterns: Mapping[Tag, re.Pattern[str]]
    vague: re.Pattern[str]
    stop_words: frozenset[str]


def read_lexicon(directory: Path = LEXICON_DIR) -> Lexicon:
    """Read the word lists of all languages as one: answers mix them."""
    files = [parsed(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.yaml"))]

    def joined(name: str) -> re.Pattern[str]:
        return re.compile("|".join(pattern for file in files for pattern in file[name]), re.IGNORECASE)

    return Lexicon(
        patterns={tag: joined(tag) for tag in Tag if tag is not Tag.OFFTOPIC},
        vague=joined("vague"),
        stop_words=frozenset(word for file in files for word in file["stop"]),
    )


class Baseline:
    """Tags sentences by word lists.

    Args:
        lexicon: The word lists.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def tag_sentences(self, question: str, sentences: Sequence[Sentence]) -> tuple[TaggedSentence, ...]:
        """Tag every sentence in which something is found. The others get no tag and carry nothing."""
        stems = self._stems(question)
        return tuple(TaggedSentence(sentence, self._tag(sentence, stems)) for sentence in sentences)

    def find_level(
        self, criterion: Criterion, question: str, sentences: Sequence[TaggedSentence]
    ) -> Level | None:
        """Find a criterion's level, `HIGHEST_LEVEL` at most. None where no sentence carries one."""
        if criterion.baseline == "tags":
            return find_level(criterion, sentences, highest=HIGHEST_LEVEL)
        stems = self._stems(question)
        evidence = tuple(item for item in sentences if _taken_up(item.sentence.text, stems))
        if not evidence:
            return None
        taken_up = frozenset().union(*(_taken_up(item.sentence.text, stems) for item in evidence))
        share = min(1.0, len(taken_up) / len(stems) / ENOUGH_QUESTION_WORDS)
        level = LOWEST_LEVEL + (HIGHEST_LEVEL - LOWEST_LEVEL) * share
        return Level(level, evidence, spread_levels=None, by_question_words=True)

    def _tag(self, sentence: Sentence, stems: frozenset[str]) -> Tag | None:
        if sentence.word_count() < LEAST_WORDS:
            return None
        text = sentence.text
        found = {tag for tag, pattern in self._lexicon.patterns.items() if pattern.search(text)}
        vague = self._lexicon.vague.search(text) is not None and NUMBER.search(text) is None
        if Tag.LESSON in found:
            return Tag.LESSON
        if not vague:
            # An outcome with a figure is one even in a sentence that also says who did it.
            if Tag.RESULT in found and (Tag.ACTION not in found or NUMBER.search(text)):
                return Tag.RESULT
            for tag in (Tag.ACTION, Tag.SITUATION):
                if tag in found:
                    return tag
        return Tag.GENERAL if found or _taken_up(text, stems) else None

    def _stems(self, question: str) -> frozenset[str]:
        words = {word.lower() for word in WORD.findall(question)} - self._lexicon.stop_words
        return frozenset(
            word[: max(SHORTEST_STEM, round(len(word) * STEM_SHARE))]
            for word in words
            if len(word) >= SHORTEST_STEM
        )


def _taken_up(text: str, stems: frozenset[str]) -> frozenset[str]:
    words = [word.lower() for word in WORD.findall(text)]
    return frozenset(stem for stem in stems if any(word.startswith(stem) for word in words))
