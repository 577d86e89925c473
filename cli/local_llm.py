"""`interview llm serve`: a local OpenAI-compatible server (llama.cpp's own, through xllamacpp).

For laptops and tests. It runs in the foreground, prints one line once it answers, and stops on SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import httpx
import typer

from chassis.errors import InterviewError, PreconditionError, UnavailableError
from chassis.models import Model, locate
from chassis.settings import default_models_dir
from cli.llm_warm_up import FIRST_PLACE, SERVICES, Instructions, WarmUp, ask_services, private_folder

DEFAULT_MODEL = "qwen2.5-coder-1.5b"
DEFAULT_PORT = 8091
KEPT_DIR_NAME = "llm-read"
"""In the folder of the models: it is made from them and of no use without them."""
DEFAULT_CONTEXT_TOKENS = 12288
"""All places together. The instructions take 7,200. An answer of ten minutes has about 2,500 tokens, an
assessor's prompt with its examples twice that."""
PROMPT_CACHE_MIB = 512
"""llama.cpp keeps old prompts in up to 8 GiB otherwise. This holds the instructions of both services, at 10
to 35 MiB each, and the last answers."""
PLACES = FIRST_PLACE + 2 * sum(SERVICES.values())
"""Conversations at a time: those of two languages or directions, each as often as it is wanted together, and
some for others. They share one context."""
MOST_THREADS = 2
"""What one session keeps busy. More cores are for the other stages."""
READY_TIMEOUT_S = 120.0
"""Loading takes seconds. A cold disk and 1 GB of weights may take a minute."""
READY_POLL_S = 0.2
EXIT_START_FAILED = 1

llm_app = typer.Typer(help="Runs a language model on this machine.", no_args_is_help=True)


@dataclass(frozen=True)
class ServerOptions:
    """What the server is started with."""

    model_path: Path
    model_name: str
    """What clients know it by. Without it llama.cpp tells everybody the file's path."""
    host: str
    port: int
    thread_count: int
    context_tokens: int
    model_key: str = ""
    """Tells the model's weights from others."""
    kept_dir: Path | None = None
    """Where it keeps the instructions that it has read. None for no warm-up."""

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"


@llm_app.callback()
def _llm() -> None:
    """Keeps `serve` a command of its own while it is the only one."""


@llm_app.command()
def serve(
    model: Annotated[
        str, typer.Option(help="A name of `interview models list`, or the path of a GGUF file.")
    ] = DEFAULT_MODEL,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    threads: Annotated[
        int, typer.Option(min=0, help="How many threads compute. 0 takes two where there are two cores.")
    ] = 0,
    context_tokens: Annotated[
        int, typer.Option(min=512, help="Longest prompt and reply together, in tokens.")
    ] = DEFAULT_CONTEXT_TOKENS,
    warm_up: Annotated[
        bool, typer.Option(help="Read the services' instructions before it is ready, and keep them on disk.")
    ] = True,
) -> None:
    """Serve a language model until SIGTERM or Ctrl-C. LLM_BASE_URL points the services to it."""
    stop = threading.Event()

    def request_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    try:
        found = find_model(model, default_models_dir())
        kept_dir = private_folder(default_models_dir() / KEPT_DIR_NAME) if warm_up else None
        count = threads or min(MOST_THREADS, os.cpu_count() or 1)
        options = ServerOptions(
            found.path, found.name, host, port, count, context_tokens, _key_of(found), kept_dir
        )
        server = run(options, start_llama, stop, typer.echo)
    except InterviewError as error:
        typer.echo(f"{error.reason}: {error.message}", err=True)
        raise typer.Exit(EXIT_START_FAILED) from None
    _end(server)


def _end(_server: object) -> NoReturn:
    # In the middle of a reply llama.cpp's destructor never returns (measured); there is nothing to save.
    sys.stdout.flush()
    os._exit(0)


def find_model(name: str, models_dir: Path) -> Model:
    """Find a GGUF by its name in the catalogue or by its path.

    Raises:
        InvalidInputError: Neither a name nor a file (`MODEL_UNKNOWN`).
        PreconditionError: Not fetched, damaged, or no GGUF (`MODEL_MISSING`, `MODEL_CORRUPT`,
            `MODEL_NOT_GGUF`).
    """
    path = Path(name)
    if path.is_file():
        model = Model(name=path.stem, version="local", digest="", path=path)
    else:
        model = locate(name, models_dir)
    if model.path.suffix != ".gguf":
        raise PreconditionError(
            f"The model '{model.name}' is not a GGUF file. `interview models list` names some.",
            reason="MODEL_NOT_GGUF",
        )
    return model


def run(
    options: ServerOptions,
    start: Callable[[ServerOptions], object],
    stop: threading.Event,
    announce: Callable[[str], object],
    services: Callable[[], Sequence[Instructions]] = ask_services,
) -> object:
    """Start the server, announce it once it has read the instructions, and keep it until `stop` is set.

    Returns:
        The server, which runs for as long as somebody holds it.

    Raises:
        InterviewError: It could not be started.
    """
    server = start(options)
    wait_until_ready(options.url, stop)
    _warm_up(options, services, stop)
    if not stop.is_set():
        announce(f"ready: {options.url}/v1 serves {options.model_name}")
        sys.stdout.flush()
    stop.wait()
    return server


def _warm_up(
    options: ServerOptions, services: Callable[[], Sequence[Instructions]], stop: threading.Event
) -> None:
    """Let the server read what the prompts begin with. A stop ends the wait at once."""
    if options.kept_dir is None:
        return
    warm_up = WarmUp(options.url, options.kept_dir, options.model_key)
    # Reading may take minutes, and whoever stops the server does not wait for it.
    reading = threading.Thread(target=lambda: warm_up.run(services(), stop), daemon=True)
    reading.start()
    while reading.is_alive() and not stop.is_set():
        reading.join(READY_POLL_S)


def _key_of(model: Model) -> str:
    stat = model.path.stat()
    return f"{model.name} {model.digest or (stat.st_size, stat.st_mtime_ns)} {_server_version()}"


def _server_version() -> str:
    with suppress(PackageNotFoundError):
        return version("xllamacpp")
    return ""


def wait_until_ready(url: str, stop: threading.Event, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Wait until `/health` says that the model is loaded, or the wait is no longer wanted.

    Raises:
        UnavailableError: It did not within the time (`LOCAL_LLM_NOT_READY`).
    """
    deadline_s = time.monotonic() + timeout_s
    with httpx.Client(base_url=url, timeout=READY_POLL_S * 5, trust_env=False) as client:
        while not stop.is_set():
            if _healthy(client):
                return
            if time.monotonic() > deadline_s:
                raise UnavailableError(
                    f"The model was not loaded within {timeout_s:.0f} s. Try a smaller one, or fewer tokens.",
                    reason="LOCAL_LLM_NOT_READY",
                )
            stop.wait(READY_POLL_S)


def _healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.HTTPError:
        return False


def start_llama(options: ServerOptions) -> object:
    """Start llama.cpp's server in threads of its own. It ends with the returned object.

    Raises:
        PreconditionError: xllamacpp is not installed (`LOCAL_LLM_NOT_INSTALLED`).
        UnavailableError: The model or the port can't be used (`LOCAL_LLM_START_FAILED`).
    """
    # Its threads wait for each other hundreds of times a token. By default they spin meanwhile: beside other
    # work that took eight times as long. OpenMP reads this once, when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError:
        raise PreconditionError(
            "The local language model server is not installed. Run `pip install xllamacpp`.",
            reason="LOCAL_LLM_NOT_INSTALLED",
        ) from None
    try:
        return xllamacpp.Server(_parameters(xllamacpp, options))
    except (RuntimeError, OSError, ValueError):
        raise UnavailableError(
            f"The server could not start. Check that port {options.port} is free, or fetch the model again.",
            reason="LOCAL_LLM_START_FAILED",
        ) from None


def _parameters(xllamacpp: Any, options: ServerOptions) -> object:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(options.model_path)
    parameters.model_alias = {options.model_name}
    parameters.hostnames = [options.host]
    parameters.port = options.port
    parameters.n_ctx = options.context_tokens
    parameters.n_parallel = PLACES
    parameters.kv_unified = True  # else each place has its share of the context, and no more
    # By default each request empties all places that are idle just then. What comes back of them from memory
    # is in one place, so that the second of two requests with the same beginning reads it again.
    parameters.cache_idle_slots = False
    if options.kept_dir is not None:
        parameters.slot_save_path = f"{options.kept_dir}/"
    parameters.cpuparams.n_threads = options.thread_count
    parameters.cpuparams_batch.n_threads = options.thread_count
    parameters.cache_ram_mib = PROMPT_CACHE_MIB
    # Any web page in a browser on this machine could talk to it, and `/slots` shows what was asked.
    parameters.cors_origins = options.url
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = 1
    return parameters
