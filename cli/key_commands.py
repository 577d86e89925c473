"""`interview keys create|list|revoke|rotate|usage`: the file of API keys that the gateway reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError

from chassis import api_keys
from chassis.api_keys import KeyHolder, Scope
from chassis.key_file import changing, read_key_book
from chassis.limits import MAX_GROUP_CHARACTERS
from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, AsJson, GatewayUrl
from cli.tables import print_rows

keys_app = typer.Typer(help="Makes, lists, rotates and revokes API keys.", no_args_is_help=True)

FILE_VARIABLE = "GATEWAY_KEYS_FILE"
DURATION = re.compile(r"([1-9][0-9]{0,4})(m|h|d|w)")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SIZE = re.compile(r"([1-9][0-9]{0,6})(MB|GB|TB)")
BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
DEFAULT_SCOPES = ("submit", "read")
SCOPES: tuple[Scope, ...] = get_args(Scope)
RULES = {
    "name": f"NAME has 1 to {MAX_GROUP_CHARACTERS} characters",
    "group": f"--group has at most {MAX_GROUP_CHARACTERS} characters",
    "scopes": f"--scope takes {', '.join(SCOPES)}",
    "upload_rate": "--uploads is a number and a time (minute, hour, day, month), such as 100/hour",
    "byte_rate": "--bytes is a size and a time (minute, hour, day, month), such as 5GB/day",
}
"""What a value is, by its name in the file."""

File = Annotated[
    Path,
    typer.Option("--file", envvar=FILE_VARIABLE, help="The file of keys, the same as the gateway's."),
]
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.", show_default=False)]


@keys_app.command()
def create(
    context: typer.Context,
    name: KeyName,
    file: File,
    group: Annotated[
        str, typer.Option(help="Keys of one group see the same sessions. The name by default.")
    ] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What it allows: {', '.join(SCOPES)}. Several with commas, or by giving it again.",
            show_default="submit, read",
        ),
    ] = None,
    expires: Annotated[str, typer.Option(help="When it ends, such as 90d or 12h. Empty: never.")] = "",
    uploads: Annotated[str, typer.Option(help="Most uploads, such as 100/hour.")] = "",
    megabytes: Annotated[
        str, typer.Option("--bytes", help="Most bytes of recordings, such as 5GB/day.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and show it. It is shown this once: only its SHA-256 is kept."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "scopes": _scopes(scope) if scope else DEFAULT_SCOPES,
        "group": group,
        "expires": now + _duration(expires, "--expires") if expires else None,
        "upload_rate": uploads,
        "byte_rate": _byte_rate(megabytes),
    }
    with changing(file) as kept:
        try:
            kept.book, key = api_keys.created(kept.book, name, now=now, **values)
        except ValidationError as error:
            raise _wrong(error) from None
    _show_key(context.obj, name, key, as_json)


@keys_app.command()
def rotate(
    context: typer.Context,
    name: KeyName,
    file: File,
    grace: Annotated[str, typer.Option(help="How long the old key stays valid, such as 1d, or 0.")] = "1d",
    as_json: AsJson = False,
) -> None:
    """Make a new key for its holder and show it. The old one stays valid for a while."""
    rest = timedelta() if grace == "0" else _duration(grace, "--grace")
    with changing(file) as kept:
        kept.book, key = api_keys.rotated(kept.book, name, now=datetime.now(UTC), grace=rest)
    _show_key(context.obj, name, key, as_json)


@keys_app.command()
def revoke(context: typer.Context, name: KeyName, file: File, as_json: AsJson = False) -> None:
    """End a key and the sign-ins made with it. Its sessions stay with its group."""
    with changing(file) as kept:
        kept.book = api_keys.revoked(kept.book, name, now=datetime.now(UTC))
    environment: Environment = context.obj
    if as_json:
        environment.print_json({"success": True, "name": name})
    else:
        environment.err.print(f"{name} is revoked. Gateways see it within seconds.", highlight=False)


@keys_app.command("list")
def list_keys(context: typer.Context, file: File, as_json: AsJson = False) -> None:
    """List who holds keys. The keys themselves are not kept."""
    environment: Environment = context.obj
    now = datetime.now(UTC)
    holders = read_key_book(file).holders
    if as_json:
        rows = [
            holder.model_dump(mode="json", exclude={"secrets"}) | {"state": _state(holder, now)}
            for holder in holders
        ]
        environment.print_json({"success": True, "keys": rows})
        return
    shown = [
        (
            holder.name,
            holder.group,
            ",".join(holder.scopes),
            _state(holder, now),
            _time(holder.created),
            _time(holder.expires),
            " ".join(filter(None, (holder.upload_rate, holder.byte_rate and f"{holder.byte_rate} bytes"))),
        )
        for holder in holders
    ]
    print_rows(environment.out, ("name", "group", "scopes", "state", "created", "expires", "limits"), shown)


@keys_app.command()
def usage(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=400, help="How many, today included.")] = 30,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show what was accepted from which key, by day. It needs a key with the scope `admin`."""
    environment: Environment = context.obj
    found = environment.open_gateway(gateway, api_key).usage(days)
    if as_json:
        environment.print_json({"success": True, "days": found})
        return
    names = ("day", "key", "session_count", "upload_count", "media_bytes")
    rows = [[str(row[name]) for name in names] for row in found]
    print_rows(environment.out, ("day", "key", "sessions", "uploads", "bytes"), rows)


def _state(holder: KeyHolder, now: datetime) -> str:
    if holder.revoked is not None:
        return "revoked"
    if holder.expires is not None and holder.expires <= now:
        return "expired"
    old = [secret for secret in holder.secrets[:-1] if secret.expires is None or secret.expires > now]
    return "rotating" if old else "valid"


def _time(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def _show_key(environment: Environment, name: str, key: str, as_json: bool) -> None:
    if as_json:
        environment.print_json({"success": True, "name": name, "key": key})
        return
    environment.out.print(key, highlight=False, soft_wrap=True)
    environment.err.print(
        f"This is the key of {name}. It is shown this once. Keep it like a password.",
        highlight=False,
        markup=False,
    )


def _duration(text: str, option: str) -> timedelta:
    match = DURATION.fullmatch(text)
    if match is None:
        raise _usage(f"{option} is a number with m, h, d or w, such as 90d.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _byte_rate(text: str) -> str:
    size, _, unit = text.partition("/")
    if match := SIZE.fullmatch(size):
        return f"{int(match[1]) * BYTES[match[2]]}/{unit}"
    return text


def _scopes(given: list[str]) -> tuple[str, ...]:
    """Return scopes that were given with commas, one by one, or both."""
    names = [name.strip() for text in given for name in text.split(",")]
    for name in names:
        if name not in SCOPES:
            raise _usage(f"'{name}' is not a scope. {RULES['scopes']}.")
    return tuple(names)


def _wrong(error: ValidationError) -> CommandError:
    """Name the option that is wrong, and not what the file calls it."""
    return _usage(f"{RULES[str(error.errors()[0]['loc'][0])]}.")


def _usage(message: str) -> CommandError:
    return CommandError(message, code="USAGE_INVALID", exit_code=ExitCode.USAGE)
