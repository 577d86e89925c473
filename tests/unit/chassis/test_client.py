"""When a call is tried again."""

from __future__ import annotations

import pytest

from chassis import client
from chassis.errors import ExhaustedError, InterviewError, InvalidInputError, UnavailableError

pytestmark = pytest.mark.anyio


async def test_a_transient_failure_is_tried_again_and_a_permanent_one_is_not() -> None:
    attempts: list[InterviewError] = [
        UnavailableError("down", reason="DOWN"),
        InvalidInputError("bad", reason="BAD"),
        UnavailableError("down", reason="DOWN"),
    ]

    async def attempt(remaining_s: float) -> None:
        raise attempts.pop(0)

    with pytest.raises(InvalidInputError):
        await client.retrying(attempt, timeout_s=5, retry=client.RetryPolicy(first_delay_s=0.01))

    assert len(attempts) == 1


async def test_a_spent_quota_is_not_tried_again() -> None:
    count = 0

    async def attempt(remaining_s: float) -> None:
        nonlocal count
        count += 1
        raise ExhaustedError("spent", reason="QUOTA", retry_after_s=None)

    with pytest.raises(ExhaustedError):
        await client.retrying(attempt, timeout_s=5)

    assert count == 1
