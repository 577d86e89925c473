"""Tables and figures of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from benchmarks.session.arms import BEFORE, EQUAL, MONOLITH, OURS, Measured
from benchmarks.session.counting_proxy import added_up
from benchmarks.session.one_shot import AssessFigures
from benchmarks.session.recordings import DEMO, LONG, Session
from benchmarks.session.targets import TARGETS

NOT_MEASURED = "not measured"
STAGES = ("fetch", "extract", "transcribe", "translate", "assess", "vision", "speaker")


@dataclass
class Results:
    """What was measured so far."""

    sessions: Sequence[Session]
    plain: dict[tuple[str, str], Measured] = field(default_factory=dict)
    """By arm and session, without a language model."""
    llm: dict[str, Measured] = field(default_factory=dict)
    """By arm, of the demo's session with a language model."""
    assess: dict[str, AssessFigures] = field(default_factory=dict)
    """By arm."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why an arm was not measured."""

    def session(self, name: str) -> Session | None:
        """Return a session that was made."""
        return next((session for session in self.sessions if session.name == name), None)


def figures_of(results: Results, note: str = "") -> dict[str, float | str | None]:
    """Return the figures of the last line. None where one was not measured."""
    # A quick run, or one without the long session, still has something to compare.
    name = LONG if results.session(LONG) else DEMO
    ours, before = results.plain.get((OURS, name)), results.plain.get((BEFORE, name))
    monolith, equal = results.plain.get((MONOLITH, name)), results.plain.get((EQUAL, name))
    session, demo = results.session(name), results.plain.get((OURS, DEMO))
    minutes = session.duration_s / 60 if session else None
    figures: dict[str, float | None] = {
        "over_monolith": _ratio(_wall(monolith), _wall(ours)),
        "over_monolith_equal_coverage": _ratio(_wall(equal), _wall(ours)),
        "over_before": _ratio(_wall(before), _wall(ours)),
        "cpu_over_monolith": _ratio(_cpu(monolith), _cpu(ours)),
        "cpu_over_monolith_equal_coverage": _ratio(_cpu(equal), _cpu(ours)),
        "cpu_ratio_to_before": _ratio(_cpu(ours), _cpu(before)),
        "cpu_s_per_interview_minute": _ratio(_cpu(ours), minutes),
        "real_time_factor": _ratio(_wall(ours), session.duration_s if session else None),
        "peak_rss_mib": demo.added_peaks_mib if demo else None,
        "peak_pss_mib": demo.tree_pss_mib if demo else None,
    }
    rounded = {key: None if value is None else round(value, 3) for key, value in figures.items()}
    return {**rounded, **_llm_figures(results), **({"note": note} if note else {})}


def _llm_figures(results: Results) -> dict[str, float | None]:
    ours, before = results.llm.get(OURS), results.llm.get(BEFORE)
    demo, assess = results.session(DEMO), results.assess.get(OURS)
    calls = added_up(ours.calls) if ours else None
    answers = float(demo.answer_count) if demo else None
    figures = {
        "over_before_llm": _ratio(_wall(before), _wall(ours)),
        "over_monolith_llm": _ratio(_wall(results.llm.get(MONOLITH)), _wall(ours)),
        "assess_over_one_shot": _ratio(assess.assess_s, assess.one_shot_s) if assess else None,
        "tokens_read_per_answer": _ratio(calls.tokens_read if calls else None, answers),
        "tokens_written_per_answer": _ratio(calls.tokens_written if calls else None, answers),
        "model_calls_per_answer": _ratio(calls.count if calls else None, answers),
        "model_s_per_answer": _ratio(calls.model_s if calls else None, answers),
    }
    return {key: None if value is None else round(value, 3) for key, value in figures.items()}


def _wall(measured: Measured | None) -> float | None:
    return None if measured is None else measured.wall_s


def _cpu(measured: Measured | None) -> float | None:
    return None if measured is None else measured.total_cpu_s


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def print_tables(out: Console, results: Results, figures: Mapping[str, float | str | None]) -> None:
    """Print a table for each session, one for the language model, one for the targets."""
    for session in results.sessions:
        rows = {arm: m for (arm, name), m in results.plain.items() if name == session.name}
        if rows:
            out.print(_session_table(session, rows))
            out.print(_cpu_table(rows))
    if results.llm or results.assess:
        out.print(_llm_table(results))
    for arm, reason in results.missing.items():
        out.print(f"{arm}: {NOT_MEASURED}. {reason}", highlight=False)
    out.print(_target_table(figures))


def _session_table(session: Session, rows: Mapping[str, Measured]) -> Table:
    title = f"{session.name}: {session.answer_count} × {session.duration_s / session.answer_count:.0f} s"
    table = Table(title=f"{title}, {session.made_of}. Seconds of stages: all answers together")
    for column in ("arm", "wall s", "CPU s", "peaks MiB", "at once MiB", "looks/s", "words", *STAGES[1:]):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm, measured in rows.items():
        stages = [f"{measured.stage_wall_s.get(stage, 0.0):.1f}" for stage in STAGES[1:]]
        table.add_row(
            arm,
            f"{measured.wall_s:.1f}",
            f"{measured.total_cpu_s:.1f}",
            f"{measured.added_peaks_mib:.0f}",
            f"{measured.tree_pss_mib:.0f}",
            "–" if measured.looks_per_s is None else f"{measured.looks_per_s:.1f}",
            str(measured.words),
            *stages,
        )
    return table


def _cpu_table(rows: Mapping[str, Measured]) -> Table:
    names = list(dict.fromkeys(name for measured in rows.values() for name in measured.cpu_s))
    table = Table("CPU s / peak MiB", *names)
    for arm, measured in rows.items():
        cells = []
        for name in names:
            cpu_s, mib = measured.cpu_s.get(name), measured.peak_rss_mib.get(name)
            shown = "–" if cpu_s is None else f"{cpu_s:.1f}"
            cells.append(shown if mib is None else f"{shown} / {mib:.0f}")
        table.add_row(arm, *cells)
    return table


def _llm_table(results: Results) -> Table:
    table = Table(title="with a language model on this machine: the demo's session, and assessments alone")
    for column in (
        "arm",
        "wall s",
        "calls",
        "tokens read",
        "written",
        "model s",
        "by stage (calls, read, s)",
    ):
        table.add_column(column, justify="left" if column.startswith(("arm", "by")) else "right")
    for column in ("an assessment, s", "one shot, s"):
        table.add_column(column, justify="right")
    for arm in dict.fromkeys([*results.llm, *results.assess]):
        table.add_row(arm, *_session_cells(results.llm.get(arm)), *_assess_cells(results.assess.get(arm)))
    return table


def _session_cells(measured: Measured | None) -> list[str]:
    if measured is None:
        return ["–"] * 6
    total = added_up(measured.calls)
    parts = []
    for who in dict.fromkeys(call.who for call in measured.calls):
        part = added_up(call for call in measured.calls if call.who == who)
        parts.append(f"{who} {part.count}, {part.tokens_read}, {part.model_s:.1f}")
    counts = (total.count, total.tokens_read, total.tokens_written)
    return [f"{measured.wall_s:.1f}", *map(str, counts), f"{total.model_s:.1f}", "; ".join(parts)]


def _assess_cells(assess: AssessFigures | None) -> list[str]:
    return ["–", "–"] if assess is None else [f"{assess.assess_s:.1f}", f"{assess.one_shot_s:.1f}"]


def _target_table(figures: Mapping[str, float | str | None]) -> Table:
    table = Table("figure", "reached", "target", "holds")
    numbers = {key: value for key, value in figures.items() if not isinstance(value, str)}
    for target in TARGETS:
        value, holds = numbers.get(target.figure), target.holds(numbers)
        shown = NOT_MEASURED if value is None else f"{value:.2f}"
        table.add_row(target.figure, shown, str(target), {None: "–", True: "yes", False: "no"}[holds])
    return table
