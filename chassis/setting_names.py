"""Names of variables: which are settings, which Kubernetes made, and which nobody reads.

A misspelt limit would hold nothing, and its author would not know. So a process refuses a name that begins as
its settings do and is none. What Kubernetes makes of a Service's name (service links) begins so as well where
a Service has a process's name. Exactly these shapes are left out, by name and by value.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import AliasChoices
from pydantic_settings import BaseSettings

TRANSPORTS = ("tcp", "udp", "sctp")
LINK_HOST = re.compile(r"(.+_)?SERVICE_HOST|.+_PORT_\d+_(TCP|UDP|SCTP)_ADDR")
LINK_NUMBER = re.compile(r"(.+_)?SERVICE_PORT(_.+)?|.+_PORT_\d+_(TCP|UDP|SCTP)_PORT")
LINK_ADDRESS = re.compile(r".+_PORT(_\d+_(TCP|UDP|SCTP))?")
LINK_TRANSPORT = re.compile(r".+_PORT_\d+_(TCP|UDP|SCTP)_PROTO")
ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


def made_by_kubernetes(name: str, value: str) -> bool:
    """Tell whether a variable has the name and the value of one that Kubernetes makes of a Service.

    Args:
        name: Such as `VISION_PORT` or `VISION_SERVICE_HOST`.
        value: Such as `tcp://10.0.0.1:50054` or `10.0.0.1`.
    """
    name = name.upper()
    if LINK_ADDRESS.fullmatch(name) and ADDRESS.fullmatch(value):
        return True
    if LINK_HOST.fullmatch(name):
        return _is_address(value)
    if LINK_TRANSPORT.fullmatch(name):
        return value in TRANSPORTS
    return bool(LINK_NUMBER.fullmatch(name)) and value.isdecimal()


def without_links(environ: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return an environment without what Kubernetes made of Services."""
    return {
        name: value for name, value in environ.items() if value is None or not made_by_kubernetes(name, value)
    }


def unknown_names(
    settings_class: type[BaseSettings], environ: Mapping[str, str], others: Iterable[str] = ()
) -> dict[str, str]:
    """Return names that look like settings of a process and are none, with the setting that may be meant.

    Args:
        settings_class: The process's settings.
        environ: The environment, and the files of the secrets folder with any value.
        others: Names of the same beginning that another program reads.

    Returns:
        By name, in order: the closest setting's name. Empty where none is close.
    """
    prefix = settings_class.model_config.get("env_prefix", "").upper()
    if not prefix:
        return {}
    known = _known(settings_class, prefix) | {name.upper() for name in others}
    unknown = sorted(
        name
        for name, value in environ.items()
        if name.upper().startswith(prefix)
        and name.upper() not in known
        and not made_by_kubernetes(name, value)
    )
    offered = sorted(name for name in known if name.startswith(prefix))
    return {name: next(iter(difflib.get_close_matches(name.upper(), offered, n=1)), "") for name in unknown}


def refusals(unknown: Mapping[str, str]) -> list[str]:
    """Return a line for each unknown name. It holds no value, which may be a key."""
    return [
        f"{name}: no setting has this name. " + (f"Use {meant}." if meant else "Remove it, or correct it.")
        for name, meant in unknown.items()
    ]


def with_secret_files(environ: Mapping[str, str], secrets_dir: str | None) -> dict[str, str]:
    """Return an environment with the names of the secrets folder's files added. Their values are left out."""
    folder = Path(secrets_dir) if secrets_dir else None
    files = {path.name: "" for path in folder.iterdir()} if folder is not None and folder.is_dir() else {}
    return files | dict(environ)


def _known(settings_class: type[BaseSettings], prefix: str) -> set[str]:
    known = {prefix + name.upper() for name in settings_class.model_fields}
    for field in settings_class.model_fields.values():
        named: Any = field.validation_alias
        choices = named.choices if isinstance(named, AliasChoices) else [named] if named else []
        known |= {str(name).upper() for name in choices}
    return known


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
