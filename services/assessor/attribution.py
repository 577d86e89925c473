"""Tells somebody else's deeds from the speaker's own: only those of the speaker count as actions.

A sentence with another subject and no first person is moved from `action` to `situation`, whatever the
model said: models take every deed for the speaker's.
"""

from __future__ import annotations

import re
from dataclasses import replace

from services.assessor.tags import Tag, TaggedSentence

_PERSON = (
    r"(?:boss|manager|supervisor|colleagues?|co-?workers?|team ?mates?|lead(?:er)?|director|friends?|"
    r"partners?|professor|teacher|mentor|brother|sister|father|mother|wife|husband|department|company)"
)
_ORANG = (
    r"(?:atasan|bos|manajer|supervisor|rekan|kolega|teman|ketua|pimpinan|direktur|dosen|guru|mentor|kakak|adik|ayah|ibu|"
    r"suami|istri)"
)
_LEADING = (
    r"^\W*(?:(?:and|so|then|but|after that|later|finally|also|dan|jadi|lalu|kemudian|setelah itu|akhirnya)"
    r"[\s,]+)*"
)
OTHER_SUBJECT = re.compile(
    rf"{_LEADING}(?:"
    rf"(?:he|she|they)\b|(?:my|our|the|a|an|one|another|some|two)\s+(?:\w+\s+){{0,2}}{_PERSON}\b|(?:someone|somebody)\b|"
    rf"(?:dia|ia|mereka|beliau|seseorang)\b|(?:para\s+|seorang\s+|salah satu\s+)*{_ORANG}\b)",
    re.IGNORECASE,
)
OWNER = re.compile(rf"\b{_ORANG}(?:\s+\w+)?\s+(?:saya|aku|kami|kita)\b", re.IGNORECASE)
"""`rekan saya` is a colleague, not the speaker."""
FIRST_PERSON = re.compile(r"\b(?:i|we|i'm|i've|i'd|we've|saya|aku|kami|kita)\b", re.IGNORECASE)


def tells_of_others(text: str) -> bool:
    """Tell whether a sentence has somebody else as its subject and the speaker nowhere."""
    return OTHER_SUBJECT.search(text) is not None and FIRST_PERSON.search(OWNER.sub(" ", text)) is None


def give_to_others(item: TaggedSentence) -> TaggedSentence:
    """Make an action of somebody else's part of the situation."""
    if not tells_of_others(item.sentence.text):
        return item
    tag = Tag.SITUATION if item.tag is Tag.ACTION else item.tag
    if item.probabilities is None:
        return replace(item, tag=tag)
    moved = dict(item.probabilities)
    moved[Tag.SITUATION] += moved[Tag.ACTION]
    moved[Tag.ACTION] = 0.0
    return replace(item, tag=tag, probabilities=moved)
