"""What is said and seen in the demo clip, before it is rendered.

Times are seconds; a pause comes before its utterance. Nothing here is measured: `truth.json` holds the
times that came out of the rendering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Voice = Literal["candidate", "prompter"]


@dataclass(frozen=True)
class Line:
    """One utterance."""

    text: str
    voice: Voice = "candidate"
    pause_s: float = 0.45
    """Silence before it."""


@dataclass(frozen=True)
class AnswerScript:
    """One answer of the clip."""

    file_name: str
    question: str
    kind: Literal["concrete", "vague"]
    """What an assessment should find: a situation, actions and a result, or none of them."""
    lines: tuple[Line, ...]
    blinks_s: tuple[float, ...]
    """Middle of each blink."""
    absence_s: tuple[float, float] | None = None
    """From when to when the face is out of the picture."""


ANSWERS = (
    AnswerScript(
        file_name="answer-1.mp4",
        question="Tell me about a time you solved a hard problem.",
        kind="concrete",
        lines=(
            Line(
                "Last spring, our nightly report began to fail, "
                "and the sales team had no figures in the morning.",
                pause_s=0.8,
            ),
            Line("I was asked to find the cause within a week."),
            Line("First, I read the logs, and I found that two jobs wrote to the same table.", pause_s=0.6),
            Line("Then I moved the second job into a queue, and I wrote a test for it."),
            Line(
                "After that, the report ran in 20 minutes instead of 90, and it has not failed since.",
                pause_s=0.6,
            ),
            Line("I learned to look at the data before I change any code.", pause_s=0.7),
        ),
        blinks_s=(1.7, 4.9, 8.6, 11.8, 14.4, 21.9, 25.0),
        absence_s=(16.4, 19.9),
    ),
    AnswerScript(
        file_name="answer-2.mp4",
        question="How do you deal with disagreement in a team?",
        kind="vague",
        lines=(
            Line("Well, I think I am generally a good person to work with.", pause_s=0.8),
            Line("Teamwork is very important, and communication is the key to everything."),
            Line(
                "You should tell them that you always listen, "
                "and that you try to stay positive, even on a bad day.",
                voice="prompter",
                pause_s=1.0,
            ),
            Line("Yes, I always listen, and I try to stay positive with everyone.", pause_s=0.9),
            Line("So, in general, things usually work out fine in the end.", pause_s=0.6),
        ),
        blinks_s=(2.3, 6.1, 8.8, 13.5, 17.2, 20.4, 22.4),
    ),
)
"""Both answers. The prompter is somebody beside the camera who says what to answer."""

CANDIDATE_NAME = "Demo candidate"
LANGUAGE = "en"
CLOSING_S = 0.8
"""Silence at the end of an answer."""
PROMPTER_GAIN = 0.6
"""The prompter stands further from the microphone: about 4 dB below the candidate."""
