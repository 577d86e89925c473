"""The arms of the benchmark as processes: started, given sessions, watched, stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.session.counting_proxy import Call, CountingProxy
from benchmarks.session.process_trees import Watch, children_of, command_of
from benchmarks.session.recordings import ROOT, Session
from chassis.settings import default_models_dir
from cli.processes import free_ports

Json = dict[str, Any]

MONOLITH, EQUAL, BEFORE, OURS = "monolith", "monolith, equal coverage", "before", "ours"
ARMS = (OURS, BEFORE, MONOLITH, EQUAL)
BEFORE_COMMIT = "6e69416815c44dd8e48a1f2d1289799d958f15b4"
"""The last commit before the work on the session's speed."""
LLM_MODEL = "qwen2.5-coder-1.5b"
STOP_TIMEOUT_S = 60.0


class ArmError(RuntimeError):
    """An arm can't be run, or a session of it failed."""


@dataclass(frozen=True)
class Measured:
    """What a session of an arm took."""

    wall_s: float
    stage_wall_s: Mapping[str, float]
    """Seconds of each stage, all answers together. Stages of a system run beside each other."""
    cpu_s: Mapping[str, float]
    """By process, or by stage where there is one process."""
    peak_rss_mib: Mapping[str, float] = field(default_factory=dict)
    tree_rss_mib: float = 0.0
    tree_pss_mib: float = 0.0
    child_peak_rss_mib: Mapping[str, float] = field(default_factory=dict)
    """Of the largest process that descends from each, such as the one that decodes."""
    looks_per_s: float | None = None
    words: int = 0
    calls: tuple[Call, ...] = ()
    """Of the language model."""

    @property
    def total_cpu_s(self) -> float:
        """CPU seconds of all processes."""
        return sum(self.cpu_s.values())

    @property
    def added_peaks_mib(self) -> float:
        """Peaks added up, as `make demo` does."""
        return sum(self.peak_rss_mib.values())

    def as_json(self) -> Json:
        """Return what `measured_of` reads."""
        return asdict(self)


def measured_of(document: Json) -> Measured:
    """Read what `as_json` returned."""
    return Measured(**document | {"calls": tuple(Call(**call) for call in document["calls"])})


class RunningArm:
    """An arm whose models are loaded."""

    def __init__(
        self, process: subprocess.Popen[str], roots: Mapping[str, int], proxy: CountingProxy | None
    ) -> None:
        self._process = process
        self._roots = roots
        self._proxy = proxy

    def take(self, session: Session) -> Measured:
        """Take a session.

        Raises:
            ArmError: It failed.
        """
        return self.order(folder=str(session.folder))

    def take_together(self, session: Session, caller_count: int) -> Measured:
        """Have so many callers send the session at once, and wait for all results.

        Raises:
            ArmError: One of them failed, or the arm knows no callers.
        """
        return self.order(folder=str(session.folder), callers=caller_count)

    def order(self, **order: Any) -> Measured:
        """Have something done, and watch what it takes.

        Raises:
            ArmError: It failed.
        """
        self.calls()
        with Watch(self._roots) as watch:
            reply = self.ask(**order)
        used = watch.used
        return Measured(
            wall_s=reply["wall_s"],
            stage_wall_s=reply["stage_wall_s"],
            cpu_s=_by_stage(used.cpu_s, reply.get("stage_cpu_s", {})),
            peak_rss_mib=used.peak_rss_mib,
            tree_rss_mib=used.tree_rss_mib,
            tree_pss_mib=used.tree_pss_mib,
            child_peak_rss_mib=used.child_peak_rss_mib,
            looks_per_s=reply.get("looks_per_s"),
            words=reply.get("words", 0),
            calls=tuple(self.calls()),
        )

    def ask(self, **order: Any) -> Json:
        """Have something done, and return the arm's reply."""
        if self._process.stdin is None:
            raise ArmError("the process takes no orders")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        reply = _line_of(self._process)
        if "error" in reply:
            raise ArmError(reply["error"])
        return reply

    def calls(self) -> list[Call]:
        """Return the language model's calls since the last time."""
        return [] if self._proxy is None else self._proxy.taken()

    @property
    def proxy_url(self) -> str:
        """Where the language model can be asked. Empty without one."""
        return "" if self._proxy is None else self._proxy.url


def _by_stage(by_process: Mapping[str, float], by_stage: Mapping[str, float]) -> dict[str, float]:
    """Name a single process's stages, which it has counted. Of several processes, each is a stage or two."""
    return {name: s for name, s in by_process.items() if not (by_stage and name == MONOLITH)} | dict(by_stage)


@contextmanager
def running(arm: str, *, llm: bool, before: Path | None = None) -> Iterator[RunningArm]:
    """Start an arm, wait until its models are loaded, and stop it at the end.

    Args:
        arm: Of `ARMS`. The monolith serves both kinds of coverage.
        llm: Whether a language model takes part.
        before: The older build's folder, for `BEFORE`.

    Raises:
        ArmError: It did not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-session-")))
        proxy = stack.enter_context(CountingProxy()) if llm else None
        extra = ["--proxy-url", proxy.url] if proxy is not None else []
        roots: dict[str, int] = {}
        if arm in (MONOLITH, EQUAL):
            command = [sys.executable, "-m", "benchmarks.session.monolith_arm", str(folder), *extra]
            if proxy is not None:
                server = stack.enter_context(llm_server(proxy))
                roots["local-llm"] = server.pid
                command += ["--model", LLM_MODEL]
            process = stack.enter_context(_started(command, ROOT))
            _wait_ready(process, proxy)
            roots[MONOLITH] = process.pid
        else:
            build = ROOT if arm == OURS or before is None else before
            script = Path(__file__).with_name("build_arm.py")
            command = [sys.executable, "-P", str(script), str(folder), *extra]
            models = _plainly_named(folder / "models") if build != ROOT else {}
            process = stack.enter_context(_started(command, build, models))
            _wait_ready(process, proxy)
            roots |= processes_of(process.pid)
        yield RunningArm(process, roots, proxy)


def processes_of(driver: int) -> dict[str, int]:
    """Return the system's processes by name, which the driver has started."""
    named = {pid: _name_of(command_of(pid)) for pid in children_of(driver)}
    return {name: pid for pid, name in named.items() if name}


def _name_of(command: Sequence[str]) -> str:
    if "serve" in command and "llm" in command:
        return "local-llm"
    module = command[command.index("-m") + 1] if "-m" in command[:-1] else ""
    root, _, name = module.partition(".")
    return name if root == "services" else root if root in ("gateway", "orchestrator") else ""


@contextmanager
def older_build(commit: str = BEFORE_COMMIT) -> Iterator[Path | None]:
    """Take a commit from git into a folder of its own. None where its history is not here."""
    found = subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    if found.returncode:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bench-before-") as folder:
        archive = Path(folder) / "before.tar"
        subprocess.run(["git", "archive", "-o", str(archive), commit], cwd=ROOT, check=True)
        with tarfile.open(archive) as packed:
            packed.extractall(Path(folder) / "build", filter="data")
        yield Path(folder) / "build"


def _plainly_named(folder: Path) -> dict[str, str]:
    """Return where an older build finds the models: in folders `NAME`, where ours are `NAME@DIGEST`."""
    folder.mkdir()
    for model in sorted(default_models_dir().iterdir()):
        link = folder / model.name.partition("@")[0]
        if model.is_dir() and not link.exists():
            link.symlink_to(model)
    return {"INTERVIEW_MODELS_DIR": str(folder)}


@contextmanager
def _started(
    command: Sequence[str], build: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    path = os.pathsep.join([str(build), str(build / "protos" / "gen")])
    process = subprocess.Popen(
        command,
        cwd=build,
        env=os.environ | {"PYTHONPATH": path} | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def llm_server(proxy: CountingProxy) -> Iterator[subprocess.Popen[str]]:
    """Start the language model, warm, and let the proxy stand in front of it."""
    (port,) = free_ports(1)
    proxy.target = f"http://127.0.0.1:{port}"
    arguments = ["llm", "serve", "--model", LLM_MODEL, "--port", str(port)]
    command = [sys.executable, "-c", "from cli.app import main; main()", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise ArmError("the language model's server did not start")
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_ready(process: subprocess.Popen[str], proxy: CountingProxy | None) -> None:
    while not (said := _line_of(process)).get("ready"):
        if proxy is not None and "llm_url" in said:
            proxy.target = said["llm_url"]


def _line_of(process: subprocess.Popen[str]) -> Json:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise ArmError("its process ended")
    said: Json = json.loads(line)
    return said
