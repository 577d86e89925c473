"""A gRPC process from its settings to its last call: health, reflection, limits, drain.

Health is SERVING only once everything is loaded, NOT_SERVING from SIGTERM on, and is answered by the
event loop, which inference never blocks. Calls are taken for a moment longer, so that none is lost on its
way. A process in which work goes on long after it was told to stop ends
by itself with `EXIT_START_AGAIN`: whoever watches over it starts a new one, which has all its places again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.callers import Callers
from chassis.errors import InterviewError
from chassis.identity import Identity, of_this_process
from chassis.interceptors import CallInterceptor
from chassis.listening import add_port, is_loopback, server_options
from chassis.private_files import keep_files_private
from chassis.readiness import READINESS, Readiness
from chassis.settings import ServiceSettings, SettingsError, load_settings
from chassis.stopped_work import OF_THIS_PROCESS, StoppedWork
from chassis.telemetry import (
    MODEL_LOAD_SECONDS,
    configure_process_log,
    configure_tracing,
    refuse_start,
    serve_metrics,
    tracing_configured,
)
from chassis.watched_health import WatchedHealth
from chassis.workers import STOP_GRACE_S

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=ServiceSettings)
Register = Callable[[grpc.aio.Server], None]

EXIT_START_FAILED = 1
EXIT_SETTINGS_WRONG = 2
EXIT_START_AGAIN = 75
"""Work went on after it was told to stop. BSD calls this status EX_TEMPFAIL: a new process may do better."""
LOOK_PAUSE_S = 0.5
"""Between two looks at work that was told to stop."""
_TELLING: set[asyncio.Task[None]] = set()
"""A loop keeps no hold on its tasks."""


def run(settings_class: type[S], service_name: str, compose: Callable[[S], Register]) -> None:
    """Run a gRPC process until SIGTERM or SIGINT.

    Exits with 2 where settings are wrong, with 1 where it can't start, and with `EXIT_START_AGAIN` where work
    went on for `max_stop_s` after it was told to stop. The last line of its log says what to do.

    Args:
        settings_class: The process's settings.
        service_name: Full name of its gRPC service, for health and reflection.
        compose: Builds everything (loads the model) and returns what adds the servicer to a server.
    """
    keep_files_private()
    try:
        settings = load_settings(settings_class)
    except SettingsError as error:
        _exit(EXIT_SETTINGS_WRONG, str(error))
    configure_process_log(settings)
    configure_tracing(service_name.rpartition(".")[2])
    begin_s = time.perf_counter()
    try:
        serve_metrics(settings)
        register = compose(settings)
    except InterviewError as error:
        _exit(EXIT_START_FAILED, f"{error.reason}: {error.message}", settings.log_format)
    MODEL_LOAD_SECONDS.set(time.perf_counter() - begin_s)
    try:
        status = asyncio.run(serve(settings, service_name, register))
    except InterviewError as error:
        _exit(EXIT_START_FAILED, f"{error.reason}: {error.message}", settings.log_format)
    _end(status)


async def serve(
    settings: ServiceSettings,
    service_name: str,
    register: Register,
    *,
    stop: asyncio.Event | None = None,
    listening: Callable[[int], None] = lambda _: None,
    stopped: StoppedWork = OF_THIS_PROCESS,
) -> int:
    """Serve until `stop` is set (SIGTERM and SIGINT set it), then let running calls end.

    It ends by itself where work goes on for `max_stop_s` after it was told to stop.

    Args:
        settings: Address, limits, drain time.
        service_name: Full name of the gRPC service.
        register: Adds the servicer to the server.
        stop: Set from outside to end. None for signals alone.
        listening: Called with the port once the server listens.
        stopped: Knows the work that was told to stop and goes on.

    Returns:
        The status to exit with: 0, or `EXIT_START_AGAIN`.

    Raises:
        PreconditionError: See `start_server`.
    """
    stop = stop or asyncio.Event()
    server, health_servicer, port = await start_server(settings, service_name, _heeding(stop, register))
    logger.info("serving", extra={"service": service_name, "port": port})
    listening(port)
    stuck = await _stopped_or_stuck(stop, stopped, settings.max_stop_s)
    if stuck:
        logger.critical(
            "work goes on after it was told to stop. The process ends, to be started again",
            extra={
                "service": service_name,
                "work_count": stopped.count(),
                "since_s": round(stopped.longest_s(), 1),
            },
        )
    logger.info("draining", extra={"service": service_name})
    await _drain(server, health_servicer, settings)
    logger.info("stopped", extra={"service": service_name})
    return EXIT_START_AGAIN if stuck else 0


def _heeding(stop: asyncio.Event, register: Register) -> Register:
    """Let signals set `stop` once `register` is done: there may be work from then on.

    Until then a stop ends the process at once (`chassis.early_stop`).
    """

    def register_and_heed(server: grpc.aio.Server) -> None:
        register(server)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)

    return register_and_heed


async def _drain(server: grpc.aio.Server, health_servicer: WatchedHealth, settings: ServiceSettings) -> None:
    await health_servicer.enter_graceful_shutdown()
    # gRPC drops what arrives after its stop, so who watches the health gets the time to go elsewhere.
    await asyncio.sleep(settings.drain_delay_s)
    await server.stop(settings.drain_timeout_s)


async def _stopped_or_stuck(stop: asyncio.Event, stopped: StoppedWork, max_stop_s: float) -> bool:
    """Wait for the end. Return whether it is that work doesn't stop."""
    while not stop.is_set():
        if stopped.longest_s() >= max_stop_s:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_PAUSE_S)
    return False


async def start_server(
    settings: ServiceSettings,
    service_name: str,
    register: Register,
    *,
    readiness: Readiness = READINESS,
    identity: Identity | None = None,
) -> tuple[grpc.aio.Server, WatchedHealth, int]:
    """Start a server that answers, and return it with its health and its port.

    `register` is called once the address is ours. Health says NOT_SERVING while `readiness` lacks something.
    `identity` is this process's, unless another one is given.

    Raises:
        PreconditionError: The address is taken or not ours (`ADDRESS_UNAVAILABLE`), or TLS is set and its
            files can't be used (`TLS_INCOMPLETE`, `TLS_FILES_UNREADABLE`).
    """
    callers = Callers(settings.allowed_callers, settings.caller_token_digests)
    interceptors: list[grpc.aio.ServerInterceptor] = [
        CallInterceptor(settings.max_call_s, settings.max_unread_s, callers)
    ]
    if tracing_configured():
        from opentelemetry.instrumentation.grpc import aio_server_interceptor

        interceptors.insert(0, aio_server_interceptor())
    server = grpc.aio.server(interceptors=interceptors, options=server_options(settings))
    # Before anything is composed: a second process started by mistake must not begin to work.
    port = add_port(server, settings, identity or of_this_process())
    register(server)
    health_servicer = WatchedHealth()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if is_loopback(settings.host) if settings.reflection is None else settings.reflection:
        reflected = (service_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(reflected, server)
    await server.start()
    names = ("", service_name)
    for name in names:
        await health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    telling = asyncio.create_task(readiness.tell(health_servicer, names))
    _TELLING.add(telling)
    telling.add_done_callback(_TELLING.discard)
    return server, health_servicer, port


def _end(status: int) -> None:
    """Leave the process, at once where a thread would keep it from ending."""
    if not OF_THIS_PROCESS.wait(0.0 if status else STOP_GRACE_S):
        logger.warning("work is left behind that does not stop")
        os._exit(status)  # the interpreter would wait for its threads without end
    if status:
        sys.exit(status)


def _exit(code: int, message: str, log_format: str | None = None) -> NoReturn:
    refuse_start(message, log_format)
    sys.exit(code)
