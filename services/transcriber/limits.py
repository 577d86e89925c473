"""Limits of what a caller may choose. They hold before the recording is there."""

from __future__ import annotations

from typing import Protocol

from chassis.errors import InvalidInputError

MAX_BEAM_SIZE = 10
"""Beyond it decoding costs more and gains nothing measurable."""
MAX_HINT_CHARS = 1000
"""Longest hotwords or prompt, each."""
HINTS = ("hotwords", "prompt")


class Hints(Protocol):
    """What holds both hints: a caller's options, and what the model is asked."""

    @property
    def hotwords(self) -> str:
        """Words that are likely to occur."""

    @property
    def prompt(self) -> str:
        """Text before the recording."""


def check_beam_size(beam_size: int) -> None:
    """Refuse a beam that is empty or too wide.

    Raises:
        InvalidInputError: `BEAM_SIZE_INVALID`.
    """
    if not 1 <= beam_size <= MAX_BEAM_SIZE:
        raise InvalidInputError(
            f"The beam size must be between 1 and {MAX_BEAM_SIZE}. Leave it out for the default.",
            reason="BEAM_SIZE_INVALID",
            fields={"beam_size": f"1 to {MAX_BEAM_SIZE}"},
        )


def check_hint(name: str, text: str) -> None:
    """Refuse hotwords or a prompt that are too long.

    Raises:
        InvalidInputError: `HOTWORDS_TOO_LONG`, `PROMPT_TOO_LONG`.
    """
    if len(text) > MAX_HINT_CHARS:
        raise InvalidInputError(
            f"The {name} may have at most {MAX_HINT_CHARS:,} characters. Send fewer.",
            reason=f"{name.upper()}_TOO_LONG",
            fields={name: f"at most {MAX_HINT_CHARS:,} characters"},
        )


def hint_warnings(asked: Hints, used: Hints) -> list[str]:
    """Return what a reader should know of hints that the model could not take whole."""
    cut = [name for name in HINTS if getattr(asked, name) != getattr(used, name)]
    return [f"The {name} were longer than the model can take. Only the beginning was used." for name in cut]
