"""The processes of the demo, and what each is told: free ports, a store and a database of its own."""

from __future__ import annotations

import importlib.util
import json
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.models import entry_of
from cli.processes import LOOPBACK, ProcessPlan, free_ports, grpc_probe, http_probe

LOCAL_LLM_MODEL = "qwen2.5-coder-1.5b"
LOCAL_LLM_CALL_TIMEOUT_S = 900
"""One thread of a busy machine writes few tokens a second, and a call may wait for the other stage's."""
LOCAL_LLM_STAGE_TIMEOUT_S = 3600
SECRETS = {
    "HF_TOKEN": ("assessor",),
    "DEEPL_API_KEY": ("translator",),
    "LLM_API_KEY": ("assessor", "translator"),
    "ASSESSOR_LLM_API_KEY": ("assessor",),
    "TRANSLATOR_LLM_API_KEY": ("translator",),
    "GATEWAY_OIDC_CLIENT_SECRET": ("gateway",),
    "GATEWAY_COOKIE_SECRETS": ("gateway",),
    "GATEWAY_SESSION_ID_SECRET": ("gateway",),
}
"""Keys of the environment, and the only processes that get each."""
OWN_PREFIXES = ("GATEWAY_", "ORCHESTRATOR_")
"""Settings for another installation, such as its addresses and keys, that must not reach the demo's."""


def service_names() -> tuple[str, ...]:
    """Return the stages' processes: the folders of `services/`. Nothing of them is imported."""
    found = importlib.util.find_spec("services")
    folders = (found.submodule_search_locations if found is not None else None) or []
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders) if module.ispkg))


@dataclass(frozen=True)
class DemoPlan:
    """What to start, and where the gateway will be."""

    processes: tuple[ProcessPlan, ...]
    gateway_url: str


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that the demo's processes share: nothing meant for another installation."""
    own = {name: value for name, value in environment.items() if not name.startswith(OWN_PREFIXES)}
    return shared_environment(own)


def shared_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that all processes share: this one without the keys of single processes."""
    shared = {name: value for name, value in environment.items() if name not in SECRETS}
    # A proxy for the outside must not stand between the processes of this machine.
    for name in ("NO_PROXY", "no_proxy"):
        shared[name] = ",".join(filter(None, (environment.get(name), LOOPBACK, "localhost")))
    shared["PYTHONUNBUFFERED"] = "1"
    # glibc keeps a heap for every few threads otherwise, each with what its largest work took.
    shared.setdefault("MALLOC_ARENA_MAX", "2")
    return shared


def plan_demo(build_dir: Path, environment: Mapping[str, str], *, local_llm: bool) -> DemoPlan:
    """Plan the processes.

    Args:
        build_dir: Receives the store and the database.
        environment: Where keys are looked for.
        local_llm: Whether a local language model translates and assesses.
    """
    names = service_names()
    *stage_ports, orchestrator_port, gateway_port, llm_port = free_ports(len(names) + 3)
    ports = dict(zip(names, stage_ports, strict=True))
    store_url = (build_dir / "store").as_uri()
    plans = [
        _stage(name, port, store_url, environment, llm_port if local_llm else None)
        for name, port in ports.items()
    ]
    plans.append(_orchestrator(build_dir, orchestrator_port, ports, store_url, local_llm=local_llm))
    plans.append(_gateway(build_dir, gateway_port, orchestrator_port, store_url))
    if local_llm:
        plans.append(_local_llm(llm_port))
    return DemoPlan(tuple(plans), f"http://{LOOPBACK}:{gateway_port}")


def keys_of(process: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of the environment that a process gets."""
    return {
        key: environment[key] for key, owners in SECRETS.items() if process in owners and key in environment
    }


def _stage(
    name: str, port: int, store_url: str, environment: Mapping[str, str], llm_port: int | None
) -> ProcessPlan:
    prefix = name.upper()
    told = {f"{prefix}_PORT": str(port), f"{prefix}_HOST": LOOPBACK}
    # Who takes no recordings does not look at it.
    told[f"{prefix}_MEDIA_URI_PREFIXES"] = json.dumps([f"{store_url}/"])
    told |= keys_of(name, environment)
    if llm_port is not None:
        told |= _llm_settings(name, f"http://{LOOPBACK}:{llm_port}/v1")
    return ProcessPlan(name, _module(f"services.{name}"), told, grpc_probe(port))


def _llm_settings(stage: str, url: str) -> dict[str, str]:
    if stage == "translator":
        return {
            "TRANSLATOR_BACKEND": "llm",
            "TRANSLATOR_LLM_BASE_URL": url,
            "TRANSLATOR_LLM_MODEL": LOCAL_LLM_MODEL,
            "TRANSLATOR_LLM_ATTEMPT_TIMEOUT_S": str(LOCAL_LLM_CALL_TIMEOUT_S),
        }
    if stage == "assessor":
        return {
            "ASSESSOR_BACKEND": "openai",
            "ASSESSOR_LLM_BASE_URL": url,
            "ASSESSOR_LLM_MODEL": LOCAL_LLM_MODEL,
            "ASSESSOR_MODEL_DIGEST": entry_of(LOCAL_LLM_MODEL).files[0].sha256,
            "ASSESSOR_REQUEST_TIMEOUT_S": str(LOCAL_LLM_CALL_TIMEOUT_S),
        }
    return {}


def _orchestrator(
    build_dir: Path, port: int, stage_ports: Mapping[str, int], store_url: str, *, local_llm: bool
) -> ProcessPlan:
    told = {
        "ORCHESTRATOR_PORT": str(port),
        "ORCHESTRATOR_HOST": LOOPBACK,
        "ORCHESTRATOR_STORE_URL": store_url,
        "ORCHESTRATOR_DATABASE_URL": f"sqlite:///{build_dir / 'orchestrator.sqlite'}",
    }
    told |= {f"ORCHESTRATOR_{name.upper()}_ADDRESS": f"{LOOPBACK}:{p}" for name, p in stage_ports.items()}
    if local_llm:
        # One answer at a time for each stage: the local server's two threads are busy with it, and a call
        # that waits for them loses its time.
        for stage in ("TRANSLATE", "ASSESS"):
            told[f"ORCHESTRATOR_{stage}_COUNT"] = "1"
            told[f"ORCHESTRATOR_{stage}_TIMEOUT_S"] = str(LOCAL_LLM_STAGE_TIMEOUT_S)
    return ProcessPlan("orchestrator", _module("orchestrator"), told, grpc_probe(port))


def _gateway(build_dir: Path, port: int, orchestrator_port: int, store_url: str) -> ProcessPlan:
    told = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_HOST": LOOPBACK,
        "GATEWAY_STORE_URL": store_url,
        "GATEWAY_ORCHESTRATOR_ADDRESS": f"{LOOPBACK}:{orchestrator_port}",
        "GATEWAY_SPOOL_DIR": str(build_dir / "spool"),
    }
    return ProcessPlan("gateway", _module("gateway"), told, http_probe(f"http://{LOOPBACK}:{port}/readyz"))


def _local_llm(port: int) -> ProcessPlan:
    arguments = ("llm", "serve", "--model", LOCAL_LLM_MODEL, "--port", str(port))
    command = (sys.executable, "-c", "from cli.app import main; main()", *arguments)
    return ProcessPlan("local-llm", command, {}, http_probe(f"http://{LOOPBACK}:{port}/health"))


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)
