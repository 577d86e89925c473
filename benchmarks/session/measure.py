"""Whole sessions of three systems in one run: the design document's monolith, an earlier build, ours.

The same machine, models and recordings. Wall and CPU seconds, memory, and the language model's tokens. Models
are loaded before anything is counted. `--keep FILE` lets a run go on where it ended.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from benchmarks.session.arms import (
    BEFORE,
    BEFORE_COMMIT,
    EQUAL,
    MONOLITH,
    OURS,
    ArmError,
    Measured,
    RunningArm,
    measured_of,
    older_build,
    running,
)
from benchmarks.session.keeping import Kept
from benchmarks.session.one_shot import ANSWERS, AssessFigures, assess_figures
from benchmarks.session.recordings import DEMO, NAMES, Session, make_sessions
from benchmarks.session.report import Results, figures_of, print_tables

ARM_NAMES = {"ours": OURS, "before": BEFORE, "monolith": MONOLITH, "equal": EQUAL}
TABLE_WIDTH = 170
Starter = Callable[[], RunningArm]


class Run:
    """One run of the benchmark.

    Args:
        options: Of the command line.
        sessions: To be taken.
        before: The older build's folder. None without one.
    """

    def __init__(self, options: argparse.Namespace, sessions: Sequence[Session], before: Path | None) -> None:
        self._answers = 1 if options.quick else options.answers
        self._arms = [ARM_NAMES[name] for name in options.arms]
        self._before = before
        self._kept = Kept(options.keep)
        self.results = Results(sessions)
        if before is None and BEFORE in self._arms:
            self._arms.remove(BEFORE)
            self.results.missing[BEFORE] = f"The commit {options.before} is not in this checkout's history."

    def plain(self) -> None:
        """Take all sessions without a language model."""
        for arm in [arm for arm in self._arms if arm != EQUAL]:
            with self._starter(arm, llm=False) as start:
                for session in self.results.sessions:
                    self._tried(arm, self._plain, arm, session, start)
        if EQUAL in self._arms:
            with self._starter(EQUAL, llm=False) as start:
                for session in self.results.sessions:
                    self._tried(EQUAL, self._equal, session, start)

    def with_llm(self) -> None:
        """Take the demo's session with a language model, and assess answers alone."""
        demo = self.results.session(DEMO)
        for arm in [arm for arm in self._arms if arm != EQUAL and demo is not None]:
            with self._starter(arm, llm=True) as start:
                self._tried(
                    f"{arm}, language model", lambda arm=arm, start=start: self._llm(arm, demo, start)
                )

    def _tried(self, name: str, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except (ArmError, subprocess.SubprocessError) as error:
            self.results.missing[name] = str(error)
            say(f"{name}: {error}")

    def _starter(self, arm: str, *, llm: bool) -> _Starter:
        return _Starter(lambda stack: stack.enter_context(running(arm, llm=llm, before=self._before)), arm)

    def _plain(self, arm: str, session: Session, start: Starter) -> None:
        name = f"{arm}/{_sized(session)}"
        kept = self._kept.once(name, lambda: _said(name, start().take(session)).as_json())
        self.results.plain[arm, session.name] = measured_of(kept)

    def _equal(self, session: Session, start: Starter) -> None:
        """Put another look at the picture in the place of the monolith's. Its other stages stay as they were.

        The stages of the monolith follow each other, so that its time is their sum.
        """
        whole, ours = (self.results.plain.get((arm, session.name)) for arm in (MONOLITH, OURS))
        if whole is None or ours is None or not ours.looks_per_s:
            raise ArmError("It needs the arms `ours` and `monolith` in the same run or file.")
        name, looks_per_s = f"{EQUAL}/{_sized(session)}", ours.looks_per_s
        order = {"folder": str(session.folder), "looks_per_s": looks_per_s}
        kept = self._kept.once(name, lambda: _said(name, start().order(**order)).as_json())
        self.results.plain[EQUAL, session.name] = with_picture_of(whole, measured_of(kept), looks_per_s)

    def _llm(self, arm: str, demo: Session | None, start: Starter) -> None:
        if demo is None:
            return
        if arm != MONOLITH:
            # It goes first: the server is warm after it.
            name = f"{arm}/assess-{self._answers}"
            kept = self._kept.once(name, lambda: asdict(assess_figures(start(), self._answers)))
            self.results.assess[arm] = figures = AssessFigures(**kept)
            say(f"{name}: {figures.assess_s:.1f} s, one shot {figures.one_shot_s:.1f} s")
        name = f"{arm}/llm"
        kept = self._kept.once(name, lambda: _said(name, start().take(demo)).as_json())
        self.results.llm[arm] = measured_of(kept)


class _Starter(ExitStack):
    """Starts an arm when it is asked for first. Stops it at the end of the block."""

    def __init__(self, start: Callable[[ExitStack], RunningArm], arm: str) -> None:
        super().__init__()
        self._start = start
        self._arm = arm
        self._started: RunningArm | None = None

    def __call__(self) -> RunningArm:
        if self._started is None:
            say(f"{self._arm}: starting")
            self._started = self._start(self)
        return self._started


def with_picture_of(whole: Measured, looked: Measured, looks_per_s: float) -> Measured:
    """Return a monolith's session with another look at the picture."""
    stage_wall_s = {**whole.stage_wall_s, **looked.stage_wall_s}
    rest_s = whole.wall_s - whole.stage_wall_s["vision"]
    peaks_mib = {name: max(mib, looked.peak_rss_mib.get(name, 0)) for name, mib in whole.peak_rss_mib.items()}
    return replace(
        whole,
        wall_s=rest_s + looked.stage_wall_s["vision"],
        stage_wall_s=stage_wall_s,
        cpu_s={**whole.cpu_s, **looked.cpu_s},
        peak_rss_mib=peaks_mib,
        tree_pss_mib=max(whole.tree_pss_mib, looked.tree_pss_mib),
        looks_per_s=looks_per_s,
    )


def say(line: str) -> None:
    """Tell how far it is."""
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr, flush=True)


def _sized(session: Session) -> str:
    return f"{session.name}-{session.answer_count}x{session.duration_s / session.answer_count:.0f}s"


def _said(name: str, measured: Measured) -> Measured:
    say(f"{name}: {measured.wall_s:.1f} s, {measured.total_cpu_s:.1f} CPU s")
    return measured


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arms", nargs="+", choices=list(ARM_NAMES), default=list(ARM_NAMES))
    parser.add_argument("--recordings", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--without-llm", action="store_true", help="leave the language model out")
    parser.add_argument("--only-llm", action="store_true", help="leave everything else out")
    parser.add_argument("--quick", action="store_true", help="short recordings: shows that it runs, no more")
    parser.add_argument("--answers", type=int, default=ANSWERS, help="assessed against one shot")
    parser.add_argument("--before", default=BEFORE_COMMIT, help="commit of the earlier build")
    parser.add_argument("--keep", type=Path, help="file of what was measured; a run goes on from it")
    parser.add_argument("--note", default="", help="put into the line of JSON, such as what ran beside it")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the tables, print the figures as JSON."""
    options = parsed(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-recordings-")))
        say("making the recordings")
        sessions = make_sessions(folder, options.recordings, quick=options.quick)
        before = stack.enter_context(older_build(options.before)) if "before" in options.arms else None
        run = Run(options, sessions, before)
        if not options.only_llm:
            run.plain()
        if not options.without_llm:
            run.with_llm()
    figures = figures_of(run.results, options.note)
    for name in set(options.recordings) - {session.name for session in sessions}:
        run.results.missing[name] = "Its recordings are not here (INTERVIEW_RECORDINGS_DIR)."
    print_tables(Console(width=TABLE_WIDTH), run.results, figures)
    print(json.dumps(figures))
