"""Which sessions this process works on, whatever the database says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS


class AtWork:
    """Counts the workflows that run here. Of one, two runs may overlap for a moment."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, workflow_id: str) -> bool:
        """Tell whether a workflow runs here."""
        return self._counts[workflow_id] > 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the workflow that calls this, for as long as the block lasts."""
        workflow_id = str(DBOS.workflow_id)
        self._counts[workflow_id] += 1
        try:
            yield
        finally:
            self._counts[workflow_id] -= 1
            if not self._counts[workflow_id]:
                del self._counts[workflow_id]
