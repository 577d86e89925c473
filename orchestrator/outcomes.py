"""Pure: the public names of outcomes."""

from __future__ import annotations

from interview.v1 import media_pb2
from orchestrator.workflow import OK


def outcome_name(outcome: int) -> str:
    """Return an outcome's public name. A stage that does not say means OK."""
    name = str(media_pb2.Outcome.Name(outcome)).removeprefix("OUTCOME_")
    return OK if name == "UNSPECIFIED" else name
