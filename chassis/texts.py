"""Text from outside, made fit for UTF-8, JSON and protobuf."""

from __future__ import annotations


def encodable(text: str) -> str:
    """Return a text that every encoder takes: half of a surrogate pair becomes U+FFFD.

    JSON may spell a character beyond U+FFFF as two halves, and a text that was cut between them keeps one.
    Two halves that belong together become their character.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
