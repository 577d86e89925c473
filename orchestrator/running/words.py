"""What people are told of an answer that waits, or that its stage broke off over."""

from __future__ import annotations

from chassis.errors import InterviewError
from orchestrator.stages.troubles import DISK_FULL_REASON, STORE_AWAY_REASONS

DIED_ONCE = (
    "Something went wrong at {}, which broke off while it worked on this answer. The answer is tried once"
    " more when nothing else is at work there. It goes on by itself."
)
DIED_TWICE = (
    "Something went wrong at {}, which broke off twice while it worked on this answer. So this part of the"
    " answer is left out. Export the recording again and submit it anew, or tell the operator."
)
"""For recruiters, who know nothing of stages and attempts."""


def who_is_away(error: InterviewError, process_name: str) -> str:
    """Return what an answer waits for, in a sentence's words.

    Args:
        error: Why it waits.
        process_name: What the stage's process is called.
    """
    if error.reason == DISK_FULL_REASON:
        return "room on the disk"
    return "the media store" if error.reason in STORE_AWAY_REASONS else process_name
