"""Postgres, Redis and an S3 server in containers (testcontainers), where a Docker engine is at hand.

Each is None where no engine answers, or where the image can't be had. The tests then take what is installed
on this machine. `INTERVIEW_TEST_CONTAINERS=0` leaves containers out.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.free_ports import free_port

if TYPE_CHECKING:
    # Loading it takes most of a second, and few machines have an engine: see `engine_answers`.
    from testcontainers.community.postgres import PostgresContainer
    from testcontainers.core.container import DockerContainer

Container = TypeVar("Container", bound="DockerContainer")

logger = logging.getLogger(__name__)

SWITCH = "INTERVIEW_TEST_CONTAINERS"
SOCKET = Path("/var/run/docker.sock")
POSTGRES_IMAGE = "postgres:16-alpine"
REDIS_IMAGE = "redis:7-alpine"
S3_IMAGE = "motoserver/moto"
"""The server that the tests run without containers, in the same version."""
REDIS_PORT, S3_PORT = 6379, 5000
ENGINE_TIMEOUT_S = 5
STOP_TIMEOUT_S = 10
LOOPBACK = "127.0.0.1"


@functools.cache
def engine_answers() -> bool:
    """Tell whether there is a Docker engine that the tests may use."""
    if os.environ.get(SWITCH) == "0" or not (os.environ.get("DOCKER_HOST") or SOCKET.exists()):
        return False
    import docker
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        client = docker.from_env(timeout=ENGINE_TIMEOUT_S)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, RequestException, OSError):
        return False


@contextmanager
def running(
    make: Callable[[], Container], has_engine: Callable[[], bool] = engine_answers
) -> Iterator[Container | None]:
    """Run a container for a block. None where there is no engine or no such image."""
    if not has_engine():
        yield None
        return
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    container = make()
    try:
        container.start()
    except (DockerException, RequestException, TimeoutError) as error:
        container.stop()
        logger.warning("%s does not run here: %s", container.image, type(error).__name__)
        yield None
        return
    try:
        yield container
    finally:
        container.stop()


@contextmanager
def postgres_url() -> Iterator[str | None]:
    """Run Postgres, and give the URL of a database by a role that may create others."""

    def make() -> PostgresContainer:
        from testcontainers.community.postgres import PostgresContainer

        return PostgresContainer(POSTGRES_IMAGE, driver=None)

    with running(make) as container:
        yield None if container is None else container.get_connection_url()


@contextmanager
def s3_url(environment: dict[str, str]) -> Iterator[str | None]:
    """Run a server that speaks S3, and give its address."""

    def make() -> DockerContainer:
        made = _container(f"{S3_IMAGE}:{version('moto')}", S3_PORT).with_exposed_ports(S3_PORT)
        for name, value in environment.items():
            made = made.with_env(name, value)
        return made

    with running(make) as container:
        if container is None:
            yield None
        else:
            yield f"http://{LOOPBACK}:{container.get_exposed_port(S3_PORT)}"


class RedisInContainer:
    """A Redis that keeps nothing on the disk. It keeps its port when it is started again.

    Args:
        container: Started.
        port: Where it is reached on this machine.
    """

    def __init__(self, container: DockerContainer, port: int) -> None:
        self.url = f"redis://{LOOPBACK}:{port}"
        self._container = container

    def start(self) -> None:
        """Start again after `kill`."""
        from testcontainers.core.wait_strategies import PortWaitStrategy

        self._wrapped.start()
        PortWaitStrategy(REDIS_PORT).wait_until_ready(self._container)

    def freeze(self) -> None:
        """Let it stand still: connections stay open, and nothing is answered."""
        self._wrapped.pause()

    def thaw(self) -> None:
        """Let it go on."""
        self._wrapped.unpause()

    def kill(self) -> None:
        """End it as a crash would. What it counted is gone."""
        self._wrapped.kill()
        self._wrapped.wait(timeout=STOP_TIMEOUT_S)

    @property
    def _wrapped(self) -> Any:
        return self._container.get_wrapped_container()


@contextmanager
def redis() -> Iterator[RedisInContainer | None]:
    """Run Redis."""
    port = free_port()

    def make() -> DockerContainer:
        made = _container(REDIS_IMAGE, REDIS_PORT)
        return made.with_command("redis-server --save ''").with_bind_ports(REDIS_PORT, port)

    with running(make) as container:
        yield None if container is None else RedisInContainer(container, port)


def _container(image: str, port: int) -> DockerContainer:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import PortWaitStrategy

    return DockerContainer(image).waiting_for(PortWaitStrategy(port))
