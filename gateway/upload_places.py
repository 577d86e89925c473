"""How many uploads may arrive at once. Counted in this process: each replica grants its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.errors import ExhaustedError
from gateway.callers import Client

PLACES_RETRY_S = 10.0


class UploadPlaces:
    """Bounds the uploads that arrive at once, and those of one client.

    Args:
        max_count: Of all clients together. It bounds the disk that uploads can fill.
        max_count_per_client: Of one client, so that slow ones leave places for others.
    """

    def __init__(self, max_count: int, max_count_per_client: int) -> None:
        self._max_count = max_count
        self._max_count_per_client = max_count_per_client
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: Client) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises:
            ExhaustedError: There is none (`UPLOADS_FULL`, `UPLOADS_OF_CLIENT_FULL`).
        """
        if self._taken[client.name] >= self._max_count_per_client:
            raise ExhaustedError(
                f"{self._max_count_per_client} uploads of yours are under way. Wait until one has ended.",
                reason="UPLOADS_OF_CLIENT_FULL",
                retry_after_s=PLACES_RETRY_S,
            )
        if self._taken.total() >= self._max_count:
            raise ExhaustedError(
                "Too many uploads are under way. Try again in some seconds.",
                reason="UPLOADS_FULL",
                retry_after_s=PLACES_RETRY_S,
            )
        self._taken[client.name] += 1
        try:
            yield
        finally:
            self._taken[client.name] -= 1
            self._taken += Counter()  # Drops clients without one.
