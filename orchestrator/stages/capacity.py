"""How many answers the pods of a stage work on at once, as they say themselves."""

from __future__ import annotations

from orchestrator.stages.remote import CAPABILITIES_TIMEOUT_S, ask
from orchestrator.stages.stage import Stage


def follows_pods(stage: Stage) -> bool:
    """Tell whether a stage's places follow what its pods take. A setting fixes their number."""
    return stage.is_remote and getattr(stage.parts.settings, f"{stage.name}_count") is None


async def worker_count(stage: Stage, pod: str) -> int:
    """Ask one pod how many answers it works on at once. 0 where its version does not say it.

    Args:
        stage: The stage.
        pod: The pod's `host:port`.

    Raises:
        InterviewError: It can't be asked.
    """
    request = stage.capabilities_request_class()
    async with stage.parts.channels.to_pod(pod, stage.address) as channel:
        stub = stage.stub_class(channel)
        reply = await ask(stub.GetCapabilities, request, timeout_s=CAPABILITIES_TIMEOUT_S)
    return int(reply.worker_count)
