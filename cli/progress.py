"""Shows how far things are: bars on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from cli.gateway_client import Json

LINES_KEPT_FREE = 6
"""Lines of the terminal that the bars leave to what stands around them."""
FULL = 100.0
RESTING_STATES = frozenset({"done", "failed", "skipped"})


@contextmanager
def byte_bars(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show transfers. The block calls what it gets with (name, bytes done, bytes in all).

    Bytes that are all there are no success yet: they may be refused, or be the wrong ones. So a transfer is
    called complete when the next one begins, or when the block ends well.
    """
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def tell_last() -> None:
        if tasks and not console.is_terminal:
            console.print(f"{list(tasks)[-1]}: complete")

    def report(name: str, done_bytes: int, total_bytes: int) -> None:
        if name not in tasks:
            tell_last()
            tasks[name] = progress.add_task(name)
        progress.update(tasks[name], completed=done_bytes, total=total_bytes)

    with progress:
        yield report
    tell_last()


def state_text(stage: Json) -> str:
    """Return where a stage is. One that waits says since when, in the reader's time.

    It waits for its service, or to be tried once more after that broke off.
    """
    if (since_s := stage.get("waiting_since_s")) is None:
        return str(stage["state"])
    since = datetime.fromtimestamp(since_s).astimezone()
    today = since.date() == datetime.now().astimezone().date()
    what = "waiting to be tried again" if stage.get("reason") == "STAGE_DIED_ONCE" else "waiting"
    return f"{what} since {since:%H:%M}" if today else f"{what} since {since:%Y-%m-%d %H:%M}"


class StageBoard:
    """A session's stages: one bar for each stage of each answer, or for each stage where room is short."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}

    def __enter__(self) -> StageBoard:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, session: Json) -> None:
        """Bring the board up to date with a session's state."""
        for name, row in self._rows(session).items():
            state = str(row["state"])
            if state != self._states.get(name):
                self._states[name] = state
                self._announce(name, row)
            self._move_bar(name, row)

    def _rows(self, session: Json) -> dict[str, Json]:
        answers = session.get("answers") or []
        rows = {
            f"answer {answer['position']} · {stage['stage']}": stage
            for answer in answers
            for stage in answer["stages"]
        }
        if self._console.is_terminal and len(rows) > self._console.height - LINES_KEPT_FREE:
            return {f"all answers · {name}": stage for name, stage in session.get("stages", {}).items()}
        return rows

    def _announce(self, name: str, row: Json) -> None:
        if self._console.is_terminal or row["state"] == "pending":
            return
        reason = f" ({row['reason']})" if row.get("reason") else ""
        self._console.print(f"{name}: {state_text(row)}{reason}", highlight=False)

    def _move_bar(self, name: str, row: Json) -> None:
        state = str(row["state"])
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=FULL, start=False, state=state)
        task = self._tasks[name]
        if state == "running" and not self._progress.tasks[task].started:
            self._progress.start_task(task)
        resting = state in RESTING_STATES
        percent = FULL if resting else float(row.get("percent") or 0.0)
        text = state_text(row) if state == "waiting" else row.get("reason") or state
        self._progress.update(task, completed=percent, state=text)
        if resting:
            self._progress.stop_task(task)
