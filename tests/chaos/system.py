"""A system for scenarios: real orchestrators on quick fake stages, sessions, and the account at the end."""

from __future__ import annotations

import shutil
import signal
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from tests.chaos.processes import MARK, PATIENCE_S, Process, free_ports, left_running, until
from tests.chaos.tally import Results, Row, check_documents, orphans, read_notes, repeated
from tests.fakes.recording import make_recording

SERVICES = ("TRANSCRIBER", "TRANSLATOR", "ASSESSOR", "VISION", "SPEAKER")
ENDED = (orchestrator_pb2.SESSION_STATE_COMPLETED, orchestrator_pb2.SESSION_STATE_FAILED)
COMPLETED = orchestrator_pb2.SESSION_STATE_COMPLETED
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
CALL_TIMEOUT_S = 10


class System:
    """See the module.

    Args:
        folder: Its own.
        database_url: The orchestrators' state. Empty: an SQLite file.
        row: The scenario's line of the summary.
        stage_s: How long a call to a stage takes.
        own: The services that have a process of their own each, to be spoilt alone.
    """

    def __init__(
        self, folder: Path, database_url: str, row: Row, *, stage_s: float = 0.2, own: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.row = row
        self.mark = uuid.uuid4().hex
        self.store = folder / "store"
        self.scratch = folder / "scratch"
        for path in (self.store, self.scratch):
            path.mkdir(exist_ok=True)
        self.results = Results(self.store)
        self.database_url = database_url or f"sqlite:///{folder / 'state.sqlite'}"
        self.orchestrators: list[Process] = []
        self.processes: list[Process] = []
        self.accepted: list[str] = []
        self._recording = make_recording(folder / "recording.mp4", seconds=1.0)
        names = ["stages", *own] if len(own) < len(SERVICES) else list(own)
        self.stages = {name: self._stage(name, stage_s) for name in names}
        for process in self.stages.values():
            process.start()
        for process in self.stages.values():
            process.wait_listening()
        self._addresses = {
            f"ORCHESTRATOR_{name}_ADDRESS": self.stages[name if name in own else "stages"].address
            for name in SERVICES
        }

    def _stage(self, name: str, stage_s: float) -> Process:
        (port,) = free_ports(1)
        counts = self.folder / f"{name}.counts"
        arguments = ["-m", "tests.fakes.wayward", str(port), str(counts), str(stage_s)]
        return self.process(name, arguments, port, {})

    def process(self, name: str, arguments: list[str], port: int, variables: dict[str, str]) -> Process:
        """Return a process that ends with the scenario."""
        own = {MARK: self.mark, "TMPDIR": str(self.scratch), "OMP_NUM_THREADS": "1"}
        self.processes.append(Process(name, self.folder, arguments, port, own | variables))
        return self.processes[-1]

    def orchestrator(self, name: str, *, module: str = "orchestrator", **changes: str) -> Process:
        """Return an orchestrator that is still to be started."""
        (port,) = free_ports(1)
        variables = self._addresses | {
            "ORCHESTRATOR_PORT": str(port),
            "ORCHESTRATOR_STORE_URL": self.store.as_uri(),
            "ORCHESTRATOR_DATABASE_URL": self.database_url,
            "ORCHESTRATOR_EXECUTOR_ID": name,
            "ORCHESTRATOR_QUEUE_POLL_S": "0.1",
            "ORCHESTRATOR_SESSION_COUNT": "4",
            "ORCHESTRATOR_DRAIN_TIMEOUT_S": "2",
            "ORCHESTRATOR_HEARTBEAT_INTERVAL_S": "0.5",
            "ORCHESTRATOR_DEAD_AFTER_S": "4",
            "ORCHESTRATOR_STAGE_FIRST_DELAY_S": "0.3",
            "ORCHESTRATOR_STAGE_MAX_DELAY_S": "2",
            "ORCHESTRATOR_STAGE_ATTEMPT_COUNT": "20",
        }
        self.orchestrators.append(self.process(name, ["-m", module], port, variables | changes))
        return self.orchestrators[-1]

    def mood(self, service: str, word: str) -> None:
        """Set the mood of a service that has a process of its own."""
        (self.folder / f"{service}.counts.mood").write_text(word)

    def begun(self, service: str) -> int:
        """Return how many calls a service with a process of its own has begun."""
        notes = read_notes([self.folder / f"{service}.counts"])
        return sum(note[0][0] == "+" for note in notes)

    def notes(self) -> list[list[str]]:
        """Return what the stages noted."""
        return read_notes(list(self.folder.glob("*.counts")))

    def request(self) -> orchestrator_pb2.CreateSessionRequest:
        """Return a session of one answer whose recording lies in the store."""
        session_id = uuid.uuid4().hex
        media = self.store / "sessions" / session_id / "media"
        media.mkdir(parents=True)
        shutil.copyfile(self._recording, media / "1.mp4")
        answer = orchestrator_pb2.AnswerInput(uri=(media / "1.mp4").as_uri(), question=session_id)
        return orchestrator_pb2.CreateSessionRequest(session_id=session_id, answers=[answer])

    def submit(self, count: int) -> list[str]:
        """Submit sessions, each until a replica has accepted it, as the gateway does."""
        return self.submit_all([self.request() for _ in range(count)])

    def submit_all(self, requests: Sequence[orchestrator_pb2.CreateSessionRequest]) -> list[str]:
        """Submit these sessions, each until a replica has accepted it."""
        for request in requests:
            until(lambda request=request: self._asked("CreateSession", request), "nobody accepts")  # type: ignore[misc]
            self.accepted.append(request.session_id)
        return [str(request.session_id) for request in requests]

    def _asked(self, method: str, request: Any) -> Any:
        """Ask the replicas in turn. None where each is away."""
        for one in self.orchestrators:
            if not one.alive:
                continue
            with grpc.insecure_channel(one.address) as channel:
                stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
                try:
                    return getattr(stub, method)(request, timeout=CALL_TIMEOUT_S)
                except grpc.RpcError as error:
                    if error.code() not in AWAY:
                        raise
        return None

    def session(self, session_id: str) -> orchestrator_pb2.Session | None:
        """Return what a replica says of a session. None where each is away."""
        reply = self._asked("GetSession", orchestrator_pb2.GetSessionRequest(session_id=session_id))
        return None if reply is None else reply.session

    def ended(self, session_id: str) -> bool:
        """Tell whether a session has ended."""
        session = self.session(session_id)
        return session is not None and session.state in ENDED

    def states(self) -> dict[str, int]:
        """Return the states of the accepted sessions that can be asked for."""
        states: dict[str, int] = {}
        for session_id in self.accepted:
            if (session := self.session(session_id)) is not None:
                states[session_id] = session.state
        return states

    def wait_noted(self, count: int, sign: str = "-") -> None:
        """Wait until the stages have begun (`+`) or ended (`-`) so many calls."""
        until(lambda: sum(note[0][0] == sign for note in self.notes()) >= count, "the stages stand still")

    def wait_ended(self) -> dict[str, int]:
        """Wait until every accepted session has ended, and return how."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            states = self.states()
            if len(states) == len(self.accepted) and all(state in ENDED for state in states.values()):
                return states
            logs = "\n".join(one.log() for one in self.orchestrators)
            assert time.monotonic() < deadline_s, f"{states}\n{logs}"
            time.sleep(0.3)

    def account(self, *, all_completed: bool = True, repeats_allowed: int = 0) -> Row:
        """Wait for the end of all sessions and check the account."""
        states = self.wait_ended()
        row, written = self.row, self.results.written()
        row.accepted = len(self.accepted)
        row.finished = sum(state in ENDED for state in states.values())
        row.completed = sum(state == COMPLETED for state in states.values())
        row.lost = row.accepted - row.finished
        again = repeated(self.store, self.notes())
        twice = {session_id: count for session_id, count in written.items() if count != 1}
        row.doubled = len(twice) + max(0, len(again) - repeats_allowed)
        check_documents(self.store, self.accepted)

        assert row.lost == 0
        assert twice == {}, "results that were written again"
        assert len(again) <= repeats_allowed, again
        assert set(written) == set(self.accepted)
        if all_completed:
            assert row.completed == row.accepted, states
        return row

    def close(self) -> None:
        """Stop everything in good order and check that nothing stays."""
        for one in self.processes:
            if one.alive:
                one.send(signal.SIGCONT)
                one.send(signal.SIGTERM)
        for one in self.processes:
            if one.alive:
                one.wait()
        until(lambda: not left_running(self.mark), f"left: {left_running(self.mark)}", patience_s=20)
        left = orphans(self.store, set(self.accepted)) + [path.name for path in self.scratch.iterdir()]
        assert left == [], left

    def kill_all(self) -> None:
        """End what a failed scenario left."""
        for one in self.processes:
            one.kill()


@contextmanager
def system(folder: Path, row: Row, database_url: str = "", **options: Any) -> Iterator[System]:
    """Run a scenario's system, and check at its end that nothing of it stays."""
    made = System(folder, database_url, row, **options)
    try:
        yield made
        made.close()
    finally:
        made.kill_all()
