"""`interview audit verify|export|head|list`: the audit log, from the gateway or from a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from chassis.audit_chain import NOT_KEPT, Head, Problem, Verification, hash_of_session, parse_head
from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.gateway_client import GatewayClient
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, AsJson, GatewayUrl
from cli.tables import print_rows

audit_app = typer.Typer(
    help="Verifies, exports and lists the audit log. It takes a key with the scope admin.",
    no_args_is_help=True,
)

SHOWN_PROBLEM_COUNT = 20
"""In the table. `--json` has all of them."""
SHOWN_WHO_CHARACTERS = 18
MAX_LINE_BYTES = 1 << 20
"""Of a file. A record has a few hundred."""
SessionFilter = Annotated[
    str, typer.Option("--session", help="Only records about this session, also where it was deleted.")
]


@audit_app.command()
def verify(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="An export instead of the gateway's log. No gateway is asked."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="SEQ:HASH",
            help="What `interview audit head` printed earlier. Without it nobody can tell that a log was cut"
            " off at its end or written again as a whole.",
        ),
    ] = None,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Tell whether the log is whole: nothing changed, removed, put in or cut off. Ends with 1 where not."""
    environment: Environment = context.obj
    verification = Verification(_head(head))
    for line in _lines(environment, file, gateway, api_key):
        verification.add_line(line)
    problems = verification.finish()
    if as_json:
        environment.print_json(_report(verification, problems), indent=None)
    else:
        _print_problems(environment, verification, problems, head_given=head is not None)
    if problems:
        raise typer.Exit(ExitCode.FAILED)


@audit_app.command()
def export(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", help="A file. Standard output without it.")] = None,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
) -> None:
    """Write the whole log as JSON lines."""
    environment: Environment = context.obj
    lines = _of_gateway(environment.open_gateway(gateway, api_key))
    if to is None:
        for line in lines:
            environment.out.file.write(f"{line}\n")
        return
    count = _write(to, lines)
    environment.err.print(f"{count} records written to {to}", highlight=False, soft_wrap=True)


@audit_app.command()
def head(
    context: typer.Context,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Print number and hash of the newest record. Keep them elsewhere, for `verify --head`."""
    environment: Environment = context.obj
    answer = environment.open_gateway(gateway, api_key).audit_head()
    if as_json:
        environment.print_json(answer, indent=None)
    else:
        environment.out.print(f"{answer['seq']}:{answer['hash']}", highlight=False, soft_wrap=True)


@audit_app.command("list")
def list_records(
    context: typer.Context,
    session: SessionFilter = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="An export instead of the gateway's log.")
    ] = None,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
) -> None:
    """List records: number, time, what was done, by whom, how it ended. It checks nothing."""
    environment: Environment = context.obj
    wanted = hash_of_session(session.replace("-", "").lower()) if session else ""
    records = (_read(line) for line in _lines(environment, file, gateway, api_key))
    rows = (_row(record) for record in records if not wanted or record.get("session") == wanted)
    print_rows(environment.out, ("record", "time", "action", "who", "outcome"), rows)


def _head(text: str | None) -> Head | None:
    try:
        # Empty is wrong as well: a file of heads that nothing was written to must not count as none given.
        return None if text is None else parse_head(text)
    except ValueError:
        raise typer.BadParameter(
            "Give what `interview audit head` printed: a number, a colon, 64 hex digits."
        ) from None


def _lines(environment: Environment, file: Path | None, gateway: str, api_key: str) -> Iterator[str]:
    if file is not None:
        return _of_file(file)
    return _of_gateway(environment.open_gateway(gateway, api_key))


def _of_gateway(gateway: GatewayClient) -> Iterator[str]:
    """Yield all records, page by page."""
    after_seq = 0
    while True:
        lines, last_seq = gateway.audit_page(after_seq)
        yield from lines
        if last_seq is None or last_seq <= after_seq:
            return
        after_seq = last_seq


def _of_file(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                yield line.removesuffix(b"\n").decode(errors="replace")
    except FileNotFoundError:
        raise CommandError(
            f"There is no file {path}. `interview audit export --to FILE` writes one.",
            code="FILE_NOT_FOUND",
            exit_code=ExitCode.USAGE,
        ) from None
    except OSError as error:
        raise CommandError(
            f"Can't read {path}: {error.strerror}.", code="FILE_NOT_READABLE", exit_code=ExitCode.USAGE
        ) from None


def _write(target: Path, lines: Iterable[str]) -> int:
    """Write lines to a file, whole or not at all, and return how many those were."""
    partial, count = target.with_name(f".{target.name}.partial"), 0
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
        partial.replace(target)
    except OSError as error:
        raise CommandError(f"Can't write {target}: {error.strerror}.", code="OUTPUT_NOT_WRITABLE") from None
    finally:
        partial.unlink(missing_ok=True)
    return count


def _report(verification: Verification, problems: list[Problem]) -> dict[str, Any]:
    told = [{"seq": one.seq, "kind": one.kind, "message": one.message} for one in problems]
    head = {"seq": verification.head.seq, "hash": verification.head.hash}
    count = verification.record_count
    return {"success": not problems, "record_count": count, "head": head, "problems": told}


def _print_problems(
    environment: Environment, verification: Verification, problems: list[Problem], *, head_given: bool
) -> None:
    if problems:
        rows = ((str(one.seq), one.kind, one.message) for one in problems[:SHOWN_PROBLEM_COUNT])
        print_rows(environment.out, ("record", "problem", "what it is"), rows)
        what = "this log was changed"
        if all(one.kind == NOT_KEPT for one in problems):
            what = "the rest is whole, and whether it follows the given head is not known"
        told = f"{len(problems)} problem(s) in {verification.record_count} records: {what}"
        more = " (--json shows all)" if len(problems) > SHOWN_PROBLEM_COUNT else ""
        environment.err.print(told + more, highlight=False, soft_wrap=True)
        return
    told = f"{verification.record_count} records, whole. Head {verification.head}"
    if not head_given:
        told += ". Without --head nobody can tell whether it was cut off or written again as a whole"
    environment.err.print(told, highlight=False, soft_wrap=True)


def _read(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {"action": "not a record"}


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    who = str(record.get("who", ""))
    shown = who if len(who) <= SHOWN_WHO_CHARACTERS else who[: SHOWN_WHO_CHARACTERS - 1] + "…"
    count = record.get("count", 1)
    outcome = str(record.get("outcome", ""))
    return (
        str(record.get("seq", "?")),
        _time(record.get("time_ms")),
        str(record.get("action", "?")),
        shown,
        outcome if count == 1 else f"{outcome} ({count} times)",
    )


def _time(time_ms: object) -> str:
    try:
        return f"{datetime.fromtimestamp(float(str(time_ms)) / 1000).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "?"
