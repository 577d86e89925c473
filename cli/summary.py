"""Prints a result document for people. What is absent is shown as absent, with its reason."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table

from cli.gateway_client import Json

OK_OUTCOME = "OK"
BASELINE = "baseline"
PROBABILITY_KINDS = frozenset({"second_voice"})
"""Kinds of observations whose value says how sure it is."""
COUNTED = {"second_face": "faces"}
UNITS = {"deg": "°", "per_min": " a minute"}
"""Units in words. Any other is its own word."""
BASELINE_NOTE = "baseline: word features, no language model"


def print_summary(out: Console, document: Json) -> None:
    """Print what a session came to: each answer's words, observations and assessment."""
    name = document.get("name") or "(no name)"
    out.print(Rule(f"{escape(str(name))} · {document.get('status', '')}", align="left"))
    _print_totals(out, document.get("totals") or {})
    for place, answer in enumerate(document.get("results", []), start=1):
        _print_answer(out, answer.get("position", place), answer)


def _print_totals(out: Console, totals: Json) -> None:
    """Print what the answers come to together. Documents of older versions have no such block."""
    if not totals:
        return
    read, scored = totals["assessed_count"], totals["scored_count"]
    out.print(f"{read} of {totals['answer_count']} answers could be read, {scored} have a total score.")
    if totals["mean_total_score"] is None:
        out.print(f"[dim]There is no mean. {escape(str(totals['reason']))}[/dim]", highlight=False)
    else:
        mean, averaged = _number(totals["mean_total_score"]), totals["averaged_count"]
        out.print(f"Mean of {averaged} with every criterion scored: {mean} of 100.", highlight=False)


def _print_answer(out: Console, number: int, answer: Json) -> None:
    question = answer.get("pertanyaan") or "(no question)"
    out.print()
    out.print(f"[bold]Answer {number}[/bold]  {escape(str(question))}", highlight=False)
    if error := answer.get("error"):
        stage, message, reason = (escape(str(error.get(key, ""))) for key in ("stage", "message", "reason"))
        out.print(f"  [red]failed[/red] at {stage}: {message} ({reason})", highlight=False)
    _print_transcript(out, answer.get("transcript") or {})
    _print_warnings(out, answer)
    _print_observations(out, answer.get("observations") or [])
    _print_assessment(out, answer.get("assessment") or {}, answer)
    _print_absences(out, answer.get("stages") or {})


def _print_transcript(out: Console, transcript: Json) -> None:
    segments = transcript.get("segments") or []
    if not segments:
        return
    table = Table.grid(padding=(0, 2))
    several_voices = len({segment.get("voice") for segment in segments} - {None}) > 1
    for segment in segments:
        voice = segment.get("voice")
        table.add_row(
            _span(segment),
            f"voice {voice + 1}" if several_voices and voice is not None else "",
            _text_with_translation(segment),
        )
    out.print(Padding(table, (0, 0, 0, 2)))


def _text_with_translation(segment: Json) -> str:
    lines = [escape(str(segment.get("text", "")).strip())]
    for language, translated in (segment.get("translations") or {}).items():
        if text := translated.get("text"):
            lines.append(f"[dim]{escape(language)}: {escape(text)}[/dim]")
    return "\n".join(lines)


def _print_warnings(out: Console, answer: Json) -> None:
    for warning in answer.get("warnings") or []:
        note = f"{_span(warning)} {escape(str(warning['message']))}".strip()
        out.print(f"  [yellow]note[/yellow] {note}", highlight=False)
    verdict = answer.get("verdict") or {}
    for part in ("picture", "sound"):
        if (found := verdict.get(part)) and found["value"] is None:
            why = escape(str(found["reason"] or found["outcome"]))
            out.print(f"  [yellow]nothing is said of the {part}[/yellow] {why}", highlight=False)


def _print_observations(out: Console, observations: list[Json]) -> None:
    for one in observations:
        value = one.get("value")
        measured = (
            "" if value is None else f"  {_quantity(str(one['kind']), value, str(one.get('unit') or ''))}"
        )
        reason = escape(str(one.get("reason") or ""))
        kind = f"[yellow]{escape(str(one['kind']))}[/yellow]"
        out.print(f"  {kind} {_span(one)}{escape(measured)}  [dim]{reason}[/dim]", highlight=False)


def _print_assessment(out: Console, assessment: Json, answer: Json) -> None:
    if not assessment:
        return
    method = str(assessment.get("method") or "")
    label = BASELINE_NOTE if method == BASELINE else method
    total = assessment.get("total_score")
    score = "" if total is None else f": {_number(total)} of 100{_of_criteria(assessment)}"
    out.print(f"  [bold]assessment[/bold] ({escape(label or 'none')}){score}", highlight=False)
    if assessment.get("outcome") not in (None, OK_OUTCOME):
        why = assessment.get("reason") or ""
        out.print(f"    {assessment['outcome']}: {escape(str(why))}", highlight=False)
    sentences = {one.get("id"): one for one in assessment.get("sentences") or []}
    for criterion in assessment.get("criteria") or []:
        _print_criterion(out, criterion, sentences)
    if conclusion := answer.get("kesimpulan_llm"):
        out.print(Padding(escape(str(conclusion)), (0, 0, 0, 4)), highlight=False)


def _of_criteria(assessment: Json) -> str:
    """Return of how many criteria a total speaks, where it lacks some."""
    criteria = assessment.get("criteria") or []
    scored = sum(criterion.get("score") is not None for criterion in criteria)
    return "" if scored == len(criteria) else f", from {scored} of {len(criteria)} criteria"


def _print_criterion(out: Console, criterion: Json, sentences: dict[object, Json]) -> None:
    name = escape(str(criterion.get("name") or criterion.get("id")))
    level = criterion.get("level")
    if level is None:
        why = criterion.get("reason") or criterion.get("outcome")
        out.print(f"    {name}: not judged ({escape(str(why))})", highlight=False)
        return
    score = criterion.get("score")
    points = "" if score is None else f" ({_number(score)} of 100)"
    out.print(f"    {name}: level {_number(level)} of 5{points}", highlight=False)
    for evidence in criterion.get("evidence") or []:
        out.print(Padding(_evidence(evidence, sentences), (0, 0, 0, 6)), highlight=False)
    for sign, kind in (("+", "strengths"), ("−", "gaps")):
        for remark in criterion.get(kind) or []:
            rests_on = " ".join(remark.get("sentence_ids") or [])
            text = f"{sign} {escape(remark['text'])} [dim]{rests_on}[/dim]".rstrip()
            out.print(Padding(text, (0, 0, 0, 6)), highlight=False)


def _evidence(evidence: Json, sentences: dict[object, Json]) -> str:
    sentence_id = evidence["sentence_id"]
    text = escape(str(sentences.get(sentence_id, {}).get("text", "")))
    mark = " [yellow](another voice)[/yellow]" if evidence.get("other_voice") else ""
    return f"[dim]{sentence_id} {_span(evidence)}[/dim] {text}{mark}"


def _print_absences(out: Console, stages: Json) -> None:
    for name, stage in stages.items():
        outcome = stage.get("outcome")
        if outcome in (None, OK_OUTCOME):
            continue
        why = " ".join(str(stage[key]) for key in ("reason", "message") if stage.get(key))
        out.print(f"  [dim]{escape(str(name))}: {outcome}  {escape(why)}[/dim]", highlight=False)


def _span(timed: Json) -> str:
    start_s, end_s = timed.get("start_s"), timed.get("end_s")
    return "" if start_s is None or end_s is None else f"{float(start_s):.1f}–{float(end_s):.1f} s"


def _quantity(kind: str, value: float, unit: str) -> str:
    """Return an observation's value in words: what a ratio is of depends on its kind."""
    if kind in PROBABILITY_KINDS or unit == "probability":
        return f"probability {_number(value)}"
    if unit == "ratio":
        return f"{value * 100:.0f} %"
    if unit == "count":
        return f"{_number(value)} {COUNTED.get(kind, '')}".rstrip()
    return f"{_number(value)}{UNITS.get(unit, f' {unit}')}".rstrip()


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
