"""So many at once, of all clients together and of one. Each replica counts and grants its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.errors import ExhaustedError
from gateway.callers import Client
from gateway.rates import limited_as

Refusal = Callable[[int], ExhaustedError]
"""Called with the limit that is reached."""

UPLOADS_RETRY_S = 10.0
STREAMS_RETRY_S = 30.0


class Places:
    """Bounds what runs at once.

    Args:
        max_count: Of all clients together.
        max_count_per_client: Of one client, so that it leaves places for others.
        full: Says that there is no place.
        full_of_client: Says that the client has all that one may have.
    """

    def __init__(
        self, max_count: int, max_count_per_client: int, *, full: Refusal, full_of_client: Refusal
    ) -> None:
        self._max_count = max_count
        self._max_count_per_client = max_count_per_client
        self._full = full
        self._full_of_client = full_of_client
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: Client) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises:
            ExhaustedError: There is none.
        """
        name = limited_as(client.share)
        if self._taken[name] >= self._max_count_per_client:
            raise self._full_of_client(self._max_count_per_client)
        if self._taken.total() >= self._max_count:
            raise self._full(self._max_count)
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            self._taken += Counter()  # Drops clients without one.


def places_of_uploads(max_count: int, max_count_per_client: int) -> Places:
    """Return the places of uploads. They bound the disk that uploads can fill."""
    return Places(
        max_count,
        max_count_per_client,
        full=lambda _: ExhaustedError(
            "Too many uploads are under way. Try again in some seconds.",
            reason="UPLOADS_FULL",
            retry_after_s=UPLOADS_RETRY_S,
        ),
        full_of_client=lambda limit: ExhaustedError(
            f"{limit} uploads of yours are under way. Wait until one has ended.",
            reason="UPLOADS_OF_CLIENT_FULL",
            retry_after_s=UPLOADS_RETRY_S,
        ),
    )


def places_of_streams(max_count: int, max_count_per_client: int) -> Places:
    """Return the places of event streams and WebSockets."""
    return Places(
        max_count,
        max_count_per_client,
        full=lambda _: ExhaustedError(
            "Too many event streams are open. Ask for the session's status, or try again later.",
            reason="STREAMS_FULL",
            retry_after_s=STREAMS_RETRY_S,
        ),
        full_of_client=lambda limit: ExhaustedError(
            f"{limit} event streams of yours are open. Close one, or ask for the session's status.",
            reason="STREAMS_OF_CLIENT_FULL",
            retry_after_s=STREAMS_RETRY_S,
        ),
    )
