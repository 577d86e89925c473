"""Checks what a stage answered before it is kept: what can't be right is refused, and never becomes a number.

The checks are about what no honest stage says. They leave room for rounding, and judge no quality.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import UnavailableError
from interview.v1 import media_pb2

FLOATS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
NOT_SHARES = frozenset({"real_time_factor_ratio", "compression_ratio", "face_width_ratio"})
"""Named ratios that may be over 1. A face may be wider than the picture that it fills."""
SHARE_ENDINGS = ("_ratio", "probability", "confidence")
ROUNDING = 1e-3
"""By which a share may be off."""
ORDER_SLACK_S = 0.5
"""By which a later part may begin before an earlier one."""
END_SLACK_S = 2.0
"""By which a part may end after its recording."""
LENGTH_SLACK_S, LENGTH_SLACK_RATIO = 5.0, 0.1
"""By which a stage may find a recording longer than its extraction said."""

OK_OUTCOMES = (media_pb2.OUTCOME_UNSPECIFIED, media_pb2.OUTCOME_OK)


def reply_invalid(what: str) -> UnavailableError:
    """Return the error of a reply that can't be right.

    Args:
        what: What is wrong with it. No content of the reply.
    """
    return UnavailableError(
        f"The stage sent a reply that can't be right: {what}. Look at its log, then retry the session.",
        reason="REPLY_INVALID",
    )


def check_numbers(message: Message) -> None:
    """Check that every number of a message, at any depth, is one, and every share from 0 to 1.

    Raises:
        UnavailableError: One is not (`REPLY_INVALID`).
    """
    for field, value in _numbers(message):
        if not math.isfinite(value):
            raise reply_invalid(f"`{field.name}` is not a number")
        is_share = field.name.endswith(SHARE_ENDINGS) and field.name not in NOT_SHARES
        if is_share and not -ROUNDING <= value <= 1 + ROUNDING:
            raise reply_invalid(f"`{field.name}` is not from 0 to 1")


def check_measures(measures: Iterable[media_pb2.Measure]) -> None:
    """Check that what was measured has a value, and a share is from 0 to 1.

    Raises:
        UnavailableError: It is not so (`REPLY_INVALID`).
    """
    for measure in measures:
        if measure.outcome in OK_OUTCOMES and not measure.HasField("value"):
            raise reply_invalid(f"the measure `{measure.name}` has no value")
        if measure.unit == "ratio" and not -ROUNDING <= measure.value <= 1 + ROUNDING:
            raise reply_invalid(f"the measure `{measure.name}` is not from 0 to 1")


def check_length(duration_s: float, recording_s: float) -> None:
    """Check how long a stage says that the recording is.

    Args:
        duration_s: As the stage says.
        recording_s: As the extraction says. 0 where it does not.

    Raises:
        UnavailableError: It can't be so long (`REPLY_INVALID`).
    """
    limit_s = recording_s * (1 + LENGTH_SLACK_RATIO) + LENGTH_SLACK_S if recording_s else math.inf
    if not 0 <= duration_s <= limit_s:
        raise reply_invalid("it says that the recording is longer than it is")


def check_spans(parts: Iterable[Any], duration_s: float, name: str) -> None:
    """Check that parts with `start_s` and `end_s` lie in the recording, in time order.

    Args:
        parts: Segments, turns, or whatever has these times.
        duration_s: Length of the recording. 0 where it is not known.
        name: What the parts are called, for the message.

    Raises:
        UnavailableError: They don't (`REPLY_INVALID`).
    """
    last_start_s = -ORDER_SLACK_S
    end_s = duration_s + END_SLACK_S if duration_s else math.inf
    for part in parts:
        if part.end_s < part.start_s - ROUNDING or part.start_s < last_start_s - ORDER_SLACK_S:
            raise reply_invalid(f"the times of its {name} run backwards")
        if part.start_s < -ORDER_SLACK_S or part.end_s > end_s:
            raise reply_invalid(f"its {name} are not within the recording")
        last_start_s = max(last_start_s, part.start_s)


def check_present(present: object, what: str) -> None:
    """Check that a part is there.

    Raises:
        UnavailableError: It is not (`REPLY_INVALID`).
    """
    if not present:
        raise reply_invalid(f"it has no {what}")


def _numbers(message: Message) -> Iterator[tuple[FieldDescriptor, float]]:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if isinstance(value, Message) else value:
                yield from _numbers(inner)
        elif field.cpp_type in FLOATS:
            for number in [value] if isinstance(value, float) else value:
                yield field, number
