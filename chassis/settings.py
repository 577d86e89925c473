"""Configuration: one frozen class a process, read from the environment once, at start.

A field `port` of a class with the prefix `VISION_` is the variable `VISION_PORT`. Secrets come from
the environment or from files (a folder named by `INTERVIEW_SECRETS_DIR`), and are never logged.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError as NoJsonError

from chassis.decoding.child_limits import ChildLimits
from chassis.errors import PreconditionError
from chassis.identity import of_this_process
from chassis.limits import MAX_MEDIA_BYTES
from chassis.native_output import NativeLog
from chassis.setting_names import refusals, unknown_names, with_secret_files, without_links

S = TypeVar("S", bound="ProcessSettings")
NO_JSON = 'is a list or an object, and has to be JSON, such as ["a", "b"] with its quotation marks'


def default_models_dir() -> Path:
    """Folder of the model files: `INTERVIEW_MODELS_DIR`, or the user's cache folder."""
    configured = os.environ.get("INTERVIEW_MODELS_DIR")
    return (
        Path(configured)
        if configured
        else Path(platformdirs.user_cache_dir("interview-assessment")) / "models"
    )


class ProcessSettings(BaseSettings):
    """What every process can be told."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    native_log: NativeLog = "errors"
    """Lines that native libraries write: `errors` leaves out those that say they are not errors, `all` keeps
    them, each as a JSON object. `raw` lets them pass as they are."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(0, ge=0, le=65535)
    """Port of the Prometheus metrics over HTTP. 0 serves none."""
    names_of_others: ClassVar[frozenset[str]] = frozenset()
    """Variables that begin like the process's own and that another program reads, from the same `.env`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # no process reads one by itself
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, without what Kubernetes makes of a Service that has a process's name."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = without_links(env_settings.env_vars)
        return init_settings, env_settings, file_secret_settings


class ServiceSettings(ProcessSettings):
    """What every gRPC process can be told."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    """0 picks a free port."""
    reflection: bool | None = None
    """gRPC server reflection, for grpcurl: it shows all methods. None: on loopback only."""
    worker_count: int = Field(1, ge=1, le=256)
    """Requests that are worked on at once."""
    growing_count: int = Field(4, ge=0, le=256)
    """Of these, recordings that are worked on while they arrive. Each holds its worker for as long as it is
    sent. One more is received first."""
    waiting_count: int = Field(8, ge=0, le=10_000)
    """Requests that may wait for a worker. One more is refused with RESOURCE_EXHAUSTED."""
    max_call_s: float = Field(43_200.0, gt=0)
    """Longest time of one call, whatever deadline the caller gave. An hour of speech may take a slow machine
    several hours."""
    max_receive_bytes: int = Field(16 << 20, ge=1 << 20)
    """Largest message that is received. Chunks have 1 MiB, the words of an hour a few."""
    max_stream_count: int = Field(2_000, ge=1)
    """Calls at once on one connection. One more waits on the caller's side. The gateway has one connection
    for all event streams."""
    max_connection_age_s: float = Field(30.0, ge=0)
    """Age at which a connection takes no new calls, give or take a tenth. The caller connects again and looks
    the name up, so a process that was added gets its share. Calls on the old connection go on to their end. 0
    keeps connections."""
    max_unread_s: float = Field(60.0, gt=0)
    """Longest time that a caller leaves a reply unread. Then its call is ended."""
    max_media_bytes: int = Field(MAX_MEDIA_BYTES, ge=1)
    """Largest recording."""
    media_uri_prefixes: tuple[str, ...] = ()
    """URI prefixes that recordings may be read from. None allows chunks only."""
    decoder_max_memory_bytes: int = Field(384 << 20, ge=256 << 20)
    """Address space of a process that decodes a recording. A stage without recordings has none. How many are
    at work at once is in `chassis/decoding/child_memory.py`."""
    decoder_max_cpu_s: float = Field(3600.0, gt=0)
    """CPU time of such a process for one recording. An hour of 720p takes about 210 s, of 4K about 2000 s."""
    allowed_callers: dict[str, tuple[str, ...]] = {}
    """Who may call what: for each name in a caller's certificate, or name of its token, the methods, `*` for
    all. Empty: everybody who can connect may call everything."""
    caller_token_digests: dict[str, str] = {}
    """SHA-256 (hex) of the tokens of callers that have no certificate, by the caller's name."""
    models_dir: Path = Field(default_factory=default_models_dir)
    drain_delay_s: float = Field(0.5, ge=0)
    """Time after SIGTERM in which calls are still taken, while health says NOT_SERVING. Callers that watch it
    have gone elsewhere by then."""
    drain_timeout_s: float = Field(30.0, ge=0)
    """Time that running calls get after that."""
    max_stop_s: float = Field(60.0, gt=0)
    """Longest time that work goes on once its caller left or its deadline passed. Then the process lets the
    other calls end (`drain_timeout_s`) and exits with 75, to be started again."""

    @property
    def decoder_limits(self) -> ChildLimits:
        """What decoding one recording may cost."""
        return ChildLimits(self.decoder_max_memory_bytes, self.decoder_max_cpu_s)


class SettingsError(Exception):
    """Some settings are wrong. The message names all of them."""


def load_settings(settings_class: type[S]) -> S:
    """Read a process's settings from the environment, and check who it is to the other processes.

    Raises:
        SettingsError: Values are missing or wrong, or a variable looks like a setting and is none. One
            message names every variable and what is wrong.
    """
    try:
        of_this_process().channel_credentials()
    except PreconditionError as error:
        raise SettingsError(error.message) from None
    secrets_dir = os.environ.get("INTERVIEW_SECRETS_DIR") or None
    named = with_secret_files(os.environ, secrets_dir)
    problems = refusals(unknown_names(settings_class, named, settings_class.names_of_others))
    settings = None
    try:
        settings = settings_class(_secrets_dir=secrets_dir)
    except ValidationError as error:
        prefix = settings_class.model_config.get("env_prefix", "")
        found = error.errors(include_input=False, include_url=False)
        problems += [f"{_variable(prefix, problem['loc'])}{problem['msg']}" for problem in found]
    except NoJsonError as error:  # It names one field, and keeps the value to itself.
        field = re.search(r'field "(\w+)"', str(error))
        prefix = settings_class.model_config.get("env_prefix", "")
        problems.append(f"{_variable(prefix, (field[1],) if field else ())}{NO_JSON}")
    if problems or settings is None:
        raise SettingsError("\n  ".join(["These settings are wrong:", *problems]))
    return settings


def address_unavailable(settings: ProcessSettings, host_field: str, port_field: str) -> PreconditionError:
    """Return the error of an address that a process can't listen on. It names the variables to change."""
    prefix = settings.model_config.get("env_prefix", "")
    host, port = getattr(settings, host_field), getattr(settings, port_field)
    where = f"[{host}]:{port}" if ":" in host.strip("[]") else f"{host}:{port}"
    return PreconditionError(
        f"Can't listen on {where}: the address is taken or not this machine's. Stop what listens there, or"
        f" set another {prefix}{port_field.upper()} (or {prefix}{host_field.upper()}).",
        reason="ADDRESS_UNAVAILABLE",
    )


def _variable(prefix: str, location: tuple[int | str, ...]) -> str:
    """Name the variable behind a problem. A problem of several settings together has none."""
    if not location:
        return ""
    name = "_".join(str(part) for part in location).upper()
    # A field with names of its own (such as HF_TOKEN) is located by that name.
    return f"{name if name.startswith(prefix) or name in os.environ else prefix + name}: "
