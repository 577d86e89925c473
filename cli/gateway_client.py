"""Calls to the gateway over HTTP: a timeout always, uploads that never lie in memory, typed failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError

from cli.failures import CommandError, ExitCode
from cli.refusals import API_KEY_HEADER, refusal

Json = dict[str, Any]
SentReport = Callable[[int, int], None]
"""Called with (bytes sent, bytes in all)."""

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 60.0
"""The gateway answers at once. Only an upload's last byte waits for the store."""
UPLOAD_TIMEOUT_S = 300.0
"""Longest silence of one upload, while its recordings are made durable."""
EVENT_TIMEOUT_S = 45.0
"""Three of the gateway's pings (15 s): a stream that is silent for longer is dead."""
AUDIT_PAGE_COUNT = 1_000
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Submission:
    """What is sent: recordings with their questions (none, or one each), in order."""

    recordings: tuple[Path, ...]
    questions: tuple[str, ...] = ()
    candidate_name: str = ""
    language: str = "auto"
    rubrics: tuple[str, ...] = ()
    """None, one for all, or one each."""


class GatewayClient:
    """One gateway.

    Args:
        base_url: Where it listens, such as `http://127.0.0.1:7860`.
        api_key: Key to present. Empty for none.
        transport: How requests travel. None for the network.
    """

    def __init__(
        self, base_url: str, api_key: str = "", transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={API_KEY_HEADER: api_key} if api_key else {},
            timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            transport=transport,
            # The environment's proxy is for the outside; a gateway on this machine is not.
            trust_env=_host_of(base_url) not in LOOPBACK_HOSTS,
        )
        self.base_url = base_url

    def submit(self, submission: Submission, idempotency_key: str, report: SentReport) -> Json:
        """Upload recordings. The answer means that they and their session are durable."""
        fields: dict[str, Any] = {
            "candidate_name": submission.candidate_name,
            "language": submission.language,
        }
        if submission.questions:
            fields["questions"] = list(submission.questions)
        else:
            fields["jumlah_pertanyaan"] = str(len(submission.recordings))
        if submission.rubrics:
            fields["rubric"] = list(submission.rubrics)
        timeout = httpx.Timeout(UPLOAD_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        with ExitStack() as files:
            parts = [
                ("videos", (path.name, files.enter_context(path.open("rb")), "application/octet-stream"))
                for path in submission.recordings
            ]
            form = self._http.build_request("POST", "/upload", data=fields, files=parts)
            form.headers["Idempotency-Key"] = idempotency_key
            total_bytes = int(form.headers["Content-Length"])
            request = self._http.build_request(
                "POST",
                "/upload",
                headers=form.headers,
                content=_counted(form.stream, total_bytes, report),
                timeout=timeout,
            )
            return self._answer(request)

    def status(self, session_id: str) -> Json:
        """Return where a session is."""
        return self._answer(self._http.build_request("GET", f"/status/{_segment(session_id)}"))

    def result(self, session_id: str, version: int | None = None) -> Json:
        """Return a version of the result document, or the one finished last."""
        query = {} if version is None else {"version": version}
        return self._answer(self._http.build_request("GET", f"/results/{_segment(session_id)}", params=query))

    def reassess(self, session_id: str, rubric_id: str) -> Json:
        """Have a completed session judged by another rubric, and return the version that it makes."""
        path = f"/sessions/{_segment(session_id)}/reassess"
        return self._answer(self._http.build_request("POST", path, json={"rubric_id": rubric_id}))

    def versions(self, session_id: str) -> list[Json]:
        """Return the versions of a session's result, the first one first."""
        request = self._http.build_request("GET", f"/sessions/{_segment(session_id)}/versions")
        found: list[Json] = self._answer(request)["versions"]
        return found

    def sessions(self, page_size: int, page_token: str = "", state: str | None = None) -> Json:
        """Return a page of sessions, the newest first."""
        query: dict[str, str | int] = {"page_size": page_size}
        if page_token:
            query["page_token"] = page_token
        if state:
            query["state"] = state
        return self._answer(self._http.build_request("GET", "/sessions", params=query))

    def usage(self, day_count: int) -> list[Json]:
        """Return what was accepted from which key in the last days, the newest day first."""
        found: list[Json] = self._answer(
            self._http.build_request("GET", "/usage", params={"days": day_count})
        )["days"]
        return found

    def audit_page(self, after_seq: int) -> tuple[list[str], int | None]:
        """Return lines of the audit log behind a number, and the last one's number (None: no more)."""
        query = {"after": after_seq, "limit": AUDIT_PAGE_COUNT}
        reply = self._reply(self._http.build_request("GET", "/audit", params=query))
        last_seq = reply.headers.get("X-Last-Seq", "")
        if not reply.headers.get("Content-Type", "").startswith("application/jsonl"):
            raise _not_a_gateway()
        lines = reply.text.split("\n")[:-1]  # Not `splitlines`, which knows other ends of lines.
        return lines, int(last_seq) if last_seq.isdecimal() else None

    def audit_head(self) -> Json:
        """Return number and hash of the audit log's newest record."""
        return self._answer(self._http.build_request("GET", "/audit/head"))

    def hold(self, session_id: str) -> Json:
        """Keep a session from deletion and expiry until it is released."""
        return self._answer(self._http.build_request("POST", f"/sessions/{_segment(session_id)}/hold"))

    def release(self, session_id: str) -> Json:
        """Lift the legal hold of a session."""
        return self._answer(self._http.build_request("POST", f"/sessions/{_segment(session_id)}/release"))

    def cancel(self, session_id: str) -> Json:
        """Stop a session."""
        return self._answer(self._http.build_request("POST", f"/sessions/{_segment(session_id)}/cancel"))

    def retry(self, session_id: str) -> Json:
        """Run again what failed or was cancelled."""
        return self._answer(self._http.build_request("POST", f"/sessions/{_segment(session_id)}/retry"))

    def delete(self, session_id: str) -> Json:
        """Delete a session with all that belongs to it."""
        return self._answer(self._http.build_request("DELETE", f"/sessions/{_segment(session_id)}"))

    def events(self, session_id: str, after_event_id: str = "") -> Iterator[ServerSentEvent]:
        """Yield a session's events until the gateway ends the stream.

        Raises:
            CommandError: The gateway refuses, or can't be reached.
        """
        headers = {"Accept": "text/event-stream"}
        if after_event_id:
            headers["Last-Event-ID"] = after_event_id
        timeout = httpx.Timeout(EVENT_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        try:
            with self._http.stream(
                "GET", f"/sessions/{_segment(session_id)}/events", headers=headers, timeout=timeout
            ) as reply:
                if reply.is_error:
                    reply.read()
                    raise refusal(reply)
                yield from EventSource(reply).iter_sse()
        except SSEError:
            raise _not_a_gateway() from None
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def recording(self, session_id: str, position: int) -> Iterator[bytes]:
        """Yield an answer's recording.

        Raises:
            CommandError: The gateway refuses, sends the reader elsewhere, or can't be reached.
        """
        path = f"/media/{_segment(session_id)}/{_segment(str(position))}"
        try:
            with self._http.stream("GET", path, headers={"Accept-Encoding": "identity"}) as reply:
                if reply.is_redirect:  # The key is the gateway's, so nobody else is asked.
                    raise CommandError(
                        "The gateway serves recordings from its store. Give them with --recordings.",
                        code="RECORDING_ELSEWHERE",
                    )
                if reply.is_error:
                    reply.read()
                    raise refusal(reply)
                yield from reply.iter_bytes()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _answer(self, request: httpx.Request) -> Json:
        return _document(self._reply(request))

    def _reply(self, request: httpx.Request) -> httpx.Response:
        try:
            reply = self._http.send(request)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if reply.is_error:
            raise refusal(reply)
        return reply

    def _unreachable(self, error: httpx.HTTPError) -> CommandError:
        what = "took too long to answer" if isinstance(error, httpx.TimeoutException) else "can't be reached"
        return CommandError(
            f"The gateway at {self.base_url} {what}. Start it with `make up`, or correct --gateway.",
            code="GATEWAY_UNREACHABLE",
            exit_code=ExitCode.UNREACHABLE,
        )


def _segment(session_id: str) -> str:
    """Return an identifier as one segment of a path, whatever somebody typed."""
    return quote(session_id, safe="")


def _host_of(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, port_is_right = parts.hostname, parts.port is None or parts.port > 0
    except ValueError:
        parts, host, port_is_right = None, None, False
    if parts is None or not host or not port_is_right or parts.scheme not in ("http", "https"):
        raise CommandError(
            f"'{base_url}' is not an address of a gateway. Give one such as http://127.0.0.1:7860.",
            code="GATEWAY_URL_INVALID",
            exit_code=ExitCode.USAGE,
        )
    return host


def _counted(stream: Any, total_bytes: int, report: SentReport) -> Iterator[bytes]:
    sent_bytes = 0
    for block in stream:
        yield block
        sent_bytes += len(block)
        report(sent_bytes, total_bytes)


def _document(reply: httpx.Response) -> Json:
    try:
        document = reply.json()
    except json.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise _not_a_gateway()
    return document


def _not_a_gateway() -> CommandError:
    return CommandError(
        "Another program answers at this address. Correct --gateway.",
        code="NOT_A_GATEWAY",
        exit_code=ExitCode.UNREACHABLE,
    )
