"""Runs the processes of whichever build is on the path, and takes sessions through them.

Started as a script with `PYTHONPATH` at a build's root. It uses only what the build's own `make demo` uses.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc

from cli.demo_command import read_submission
from cli.demo_processes import DemoPlan, base_environment, plan_demo
from cli.following import follow
from cli.gateway_client import GatewayClient
from cli.processes import ProcessPlan, Supervisor
from interview.v1 import assessor_pb2, assessor_pb2_grpc, vision_pb2

Json = dict[str, Any]

READY_TIMEOUT_S = 300.0
ASSESS_TIMEOUT_S = 1800.0
LOCAL_LLM = "local-llm"
UNLIMITED = {"GATEWAY_RATE_LIMIT_UPLOADS": "", "GATEWAY_MAX_UPLOADS_PER_CLIENT": "4"}


def _beside(name: str) -> ModuleType:
    """Read a module that lies beside this script. The build on the path need not have it."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Build:
    """A build's processes, started.

    Args:
        plan: What to start.
        build_dir: Holds its store.
    """

    def __init__(self, plan: DemoPlan, build_dir: Path) -> None:
        self._plan = plan
        self._build_dir = build_dir

    def do(self, order: Json) -> Json:
        """Take one session, or the same one for several callers at once, or have answers assessed."""
        if "assess" in order:
            return self._assess(order["assess"])
        folder = Path(order["folder"])
        return self._take(folder) if "callers" not in order else self._together(folder, order["callers"])

    def _together(self, folder: Path, caller_count: int) -> Json:
        """Send the session from so many callers. Stages and words are those of all of them."""
        begin_s = time.monotonic()
        with ThreadPoolExecutor(caller_count) as callers:
            taken = list(callers.map(self._take, [folder] * caller_count))
        wall_s = time.monotonic() - begin_s
        stages: dict[str, float] = {}
        for one in taken:
            for name, run_s in one["stage_wall_s"].items():
                stages[name] = stages.get(name, 0.0) + run_s
        words = sum(one["words"] for one in taken)
        return taken[0] | {"wall_s": wall_s, "stage_wall_s": stages, "words": words}

    def _take(self, folder: Path) -> Json:
        begin_s = time.monotonic()
        client = GatewayClient(self._plan.gateway_url, "")
        accepted = client.submit(read_submission(folder), uuid.uuid4().hex, lambda _sent, _total: None)
        session_id = str(accepted["session_id"])
        *_, last = follow(client, session_id)
        wall_s = time.monotonic() - begin_s
        if last.get("state") != "completed":
            raise RuntimeError(f"the session has {last.get('state')}: {last.get('message')}")
        answers = client.result(session_id)["results"]
        stages: dict[str, float] = {}
        for answer in answers:
            for name, stage in answer["stages"].items():
                stages[name] = stages.get(name, 0.0) + float(stage["run_s"] or 0.0)
        return {
            "wall_s": wall_s,
            "stage_wall_s": stages,
            "looks_per_s": self._looks_per_s(session_id),
            "words": sum(len(s["text"].split()) for a in answers for s in a["transcript"]["segments"]),
            "outcomes": sorted({f"{n}: {s['outcome']}" for a in answers for n, s in a["stages"].items()}),
        }

    def _looks_per_s(self, session_id: str) -> float | None:
        """Return how often a second the face model looked. The result does not say it. The output does."""
        kept = self._build_dir / "store" / "sessions" / session_id / "outputs"
        reports = [vision_pb2.VisionReport.FromString(p.read_bytes()) for p in kept.rglob("vision-*.pb")]
        seconds = sum(report.duration_s for report in reports)
        return sum(report.inferred_frame_count for report in reports) / seconds if seconds else None

    def _assess(self, answers: list[Json]) -> Json:
        """Ask the assessor alone, one answer after the other."""
        port = next(p for p in self._plan.processes if p.name == "assessor").environment["ASSESSOR_PORT"]
        walls_s = []
        with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)]) as channel:
            stub: Any = assessor_pb2_grpc.AssessorServiceStub(channel)
            for answer in answers:
                segments = [assessor_pb2.AnswerSegment(text=text) for text in answer["sentences"]]
                request = assessor_pb2.AssessRequest(
                    question=answer["question"], segments=segments, language_code=answer["language_code"]
                )
                begin_s = time.monotonic()
                stub.Assess(request, timeout=ASSESS_TIMEOUT_S)
                walls_s.append(time.monotonic() - begin_s)
        return {"walls_s": walls_s}


def for_many_callers(plan: ProcessPlan) -> ProcessPlan:
    """Let the gateway take all that one address sends here."""
    return replace(plan, environment=plan.environment | UNLIMITED) if plan.name == "gateway" else plan


def through_proxy(plan: ProcessPlan, llm_url: str, proxy_url: str) -> ProcessPlan:
    """Let a process meet its language model through the proxy, under its own name."""
    told = {
        key: value.replace(llm_url, f"{proxy_url}/{plan.name}") for key, value in plan.environment.items()
    }
    return replace(plan, environment=told)


def llm_url_of(plan: DemoPlan) -> str:
    """Return where the plan's own language model will listen, empty without one."""
    server = next((p for p in plan.processes if p.name == LOCAL_LLM), None)
    if server is None:
        return ""
    return f"http://127.0.0.1:{server.command[server.command.index('--port') + 1]}"


def main() -> None:
    """Serve orders until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build_dir", type=Path)
    parser.add_argument("--proxy-url", default="", help="a counting proxy for the language model")
    options = parser.parse_args()
    arm = _beside("conversation").Arm()
    for name in ("store", "spool", "logs"):
        (options.build_dir / name).mkdir(parents=True, exist_ok=True)
    plan = plan_demo(options.build_dir, os.environ, local_llm=bool(options.proxy_url))
    plan = replace(plan, processes=tuple(for_many_callers(p) for p in plan.processes))
    llm_url = llm_url_of(plan)
    if llm_url:
        arm.say(llm_url=llm_url)
        plan = replace(
            plan, processes=tuple(through_proxy(p, llm_url, options.proxy_url) for p in plan.processes)
        )
    with Supervisor(options.build_dir / "logs") as supervisor:
        supervisor.start(plan.processes, base_environment(os.environ))
        supervisor.wait_ready(READY_TIMEOUT_S, lambda name: print(f"  {name}: ready", file=sys.stderr))
        arm.serve(Build(plan, options.build_dir).do)


if __name__ == "__main__":
    main()
