"""A small TCP proxy that cuts, slows, loses and refuses, as networks and busy servers do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlparse

BLOCK_BYTES = 1 << 16
CLOSING_S = 5.0


@dataclass
class Halt:
    """Holds back the answer to the first request with some bytes in it, while somebody does something."""

    marker: bytes
    begun: threading.Event = field(default_factory=threading.Event)
    """The request has been passed on to the server."""
    over: threading.Event = field(default_factory=threading.Event)
    """What was to be done is done. The connection breaks, as the answer was held back."""


@dataclass
class Troubles:
    """What the proxy does to the next connections. A list is used up from its front, one a connection."""

    cut_answer_after_bytes: list[int] = field(default_factory=list)
    cut_every_answer_after_bytes: int | None = None
    cut_request_after_bytes: list[int] = field(default_factory=list)
    lose_answer_to: list[bytes] = field(default_factory=list)
    """Requests that hold one of these bytes are passed on, and the answer to the first of each is lost."""
    answers: list[bytes] = field(default_factory=list)
    """Said in the place of the server, one a connection, which then is closed."""
    break_answers_that_hold: bytes | None = None
    """Where these bytes are in an answer, it ends without them, each time."""
    halts: list[Halt] = field(default_factory=list)
    hangs: bool = False
    """Requests are taken and never answered."""
    up_bytes_per_s: float | None = None
    """Rate of all connections together towards the server."""


class Proxy:
    """A proxy in front of one server."""

    def __init__(self, url: str) -> None:
        target = urlparse(url)
        assert target.hostname is not None
        assert target.port is not None
        self._target = (target.hostname, target.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._lock = threading.Lock()
        self._sent_until_s = time.monotonic()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.troubles = Troubles()
        self.connection_count = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in list(self._open):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:  # So that each has closed its sockets.
            thread.join(CLOSING_S)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self.connection_count += 1
            self._open.add(client)
            answer = self.troubles.answers.pop(0) if self.troubles.answers else None
        try:
            if answer is not None:
                self._answer(client, answer)
            elif self.troubles.hangs:
                while client.recv(BLOCK_BYTES):
                    pass
            else:
                _Connection(self, client, socket.create_connection(self._target)).run()
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    @staticmethod
    def _answer(client: socket.socket, answer: bytes) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(BLOCK_BYTES)
        client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        while client.recv(BLOCK_BYTES):  # A body that is on its way: closed on it, the answer would be lost.
            pass

    def slowed(self, size_bytes: int) -> None:
        """Wait until so many more bytes may have passed."""
        rate = self.troubles.up_bytes_per_s
        if rate is None:
            return
        with self._lock:
            self._sent_until_s = max(self._sent_until_s, time.monotonic()) + size_bytes / rate
            until_s = self._sent_until_s
        time.sleep(max(0.0, until_s - time.monotonic()))

    def next_cut(self, cuts: list[int]) -> int | None:
        with self._lock:
            return cuts.pop(0) if cuts else None

    def halt(self, data: bytes) -> Halt | None:
        with self._lock:
            for halt in self.troubles.halts:
                if halt.marker in data:
                    self.troubles.halts.remove(halt)
                    return halt
        return None

    def loses(self, data: bytes) -> bool:
        with self._lock:
            for marker in self.troubles.lose_answer_to:
                if marker in data:
                    self.troubles.lose_answer_to.remove(marker)
                    return True
        return False


class _Connection:
    """One client's connection, with the way there and the way back."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        troubles = proxy.troubles
        self._request_left = proxy.next_cut(troubles.cut_request_after_bytes)
        self._answer_left = proxy.next_cut(troubles.cut_answer_after_bytes)
        if self._answer_left is None:
            self._answer_left = troubles.cut_every_answer_after_bytes
        self._loses_answer = False
        self._halt: Halt | None = None

    def run(self) -> None:
        there = threading.Thread(target=self._there, daemon=True)
        there.start()
        try:
            self._back()
        finally:
            there.join()
            self._server.close()

    def _there(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(BLOCK_BYTES):
                if self._proxy.loses(data):
                    self._loses_answer = True
                halt = self._halt = self._proxy.halt(data) or self._halt
                if self._request_left is not None:
                    data, self._request_left = data[: self._request_left], self._request_left - len(data)
                self._proxy.slowed(len(data))
                self._server.sendall(data)
                if halt is not None:
                    halt.begun.set()
                if self._request_left is not None and self._request_left <= 0:
                    break
        self._hang_up()

    def _back(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(BLOCK_BYTES):
                if self._halt is not None:
                    self._halt.over.wait()
                    break
                marker = self._proxy.troubles.break_answers_that_hold
                if self._loses_answer or (marker is not None and marker in data):
                    break
                if self._answer_left is not None:
                    data, self._answer_left = data[: self._answer_left], self._answer_left - len(data)
                self._client.sendall(data)
                if self._answer_left is not None and self._answer_left <= 0:
                    break
        self._hang_up()

    def _hang_up(self) -> None:
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
