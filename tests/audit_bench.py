"""An audit log on a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chassis.audit_chain import Head, Problem, Verification, as_line
from chassis.readiness import Readiness
from orchestrator.audit.log import AuditLog
from orchestrator.audit.table import AuditTable
from orchestrator.durable.schema import make_tables
from orchestrator.durable.sqlite_file import BUSY_TIMEOUT_S
from orchestrator.durable.trouble import DatabaseTrouble

NOW_S = 1_800_000_000.0


class AuditBench:
    """One replica's log."""

    def __init__(
        self, url: str, now: Callable[[], float] = lambda: NOW_S, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        make_tables(url)
        self.url = url
        self.table = AuditTable(url, busy_timeout_s=busy_timeout_s)
        self.log = AuditLog(self.table, DatabaseTrouble(Readiness(), call_timeout_s=60), now=now)

    def lines(self) -> list[str]:
        rows, _ = self.table.read(-1, 1_000_000)
        return [as_line(record, hash_) for _, record, hash_ in rows]

    def problems(self, head: Head | None = None) -> Sequence[Problem]:
        verification = Verification(head)
        for line in self.lines():
            verification.add_line(line)
        return verification.finish()
