"""Requests made from the gateway's description of its API, odd ones too, and their answers checked by it."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup

from gateway.sessions import FINAL_STATES, SessionState, SessionView
from tests.fakes.orchestrator import FakeOrchestrator

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TIMEOUT_S = 30


class FinishingOrchestrator(FakeOrchestrator):
    """Ends every session at once, so that no stream of events waits."""

    def set(self, session: SessionView) -> None:
        super().set(session)
        if session.state not in FINAL_STATES:
            super().set(replace(session, state=SessionState.FAILED, end_time_s=2.0))


def _with_events(document: dict[str, Any]) -> dict[str, Any]:
    """Return a description in which a stream's schema is that of its events, as schemathesis reads one.

    To other readers of OpenAPI 3.1 a stream is a string, and so is ours. `x-event-data` says the rest.
    """
    document = copy.deepcopy(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    if "x-event-data" in content:
                        kinds = content["x-event-data"].items()
                        content["schema"] = {"anyOf": [_event(name, schema) for name, schema in kinds]}
    return document


def _event(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {
        "type": "object",
        "required": ["event", "data", "retry"],
        "properties": {"event": {"const": name}, "data": data},
    }


@dataclass
class Outcome:
    """What came of many requests."""

    request_count: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """One for each operation that answered against the description."""


class Examples:
    """Sends examples to every operation of a gateway.

    Args:
        document: The OpenAPI document.
        base_url: The gateway.
        session_ids: Sessions that there are. Most requests name one of them.
    """

    def __init__(self, document: dict[str, Any], base_url: str, session_ids: list[str]) -> None:
        self._schema = schemathesis.openapi.from_dict(_with_events(document))
        self._base_url = base_url
        self._names = st.sampled_from([None, *session_ids])
        self._client = requests.Session()
        self.outcome = Outcome()

    def try_all(self, example_count: int) -> Outcome:
        """Send so many requests to each operation, and half as many that break the description."""
        with self._client:
            for found in self._schema.get_all_operations():
                operation: Any = found.ok()  # type: ignore[union-attr]
                modes = [(GenerationMode.POSITIVE, example_count)]
                if operation.body or any(True for _ in operation.iter_parameters()):
                    modes.append((GenerationMode.NEGATIVE, example_count // 2))
                for mode, count in modes:
                    self._try(operation, mode, count)
        return self.outcome

    def _try(self, operation: Any, mode: GenerationMode, count: int) -> None:
        case = operation.as_strategy(generation_mode=mode)
        settings = hypothesis.settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        try:
            settings(given(case=case, named=self._names)(self._attempt))()
        except Unsatisfiable:
            pass  # Whatever is sent is as described.
        except (FailureGroup, FlakyFailure, requests.RequestException) as failure:
            self.outcome.failures.append(f"{operation.label}: {failure}")

    def _attempt(self, case: Any, named: str | None) -> None:
        # What is deleted is gone for the others.
        if named is not None and case.method != "DELETE" and "session_id" in (case.path_parameters or {}):
            case.path_parameters["session_id"] = named
        answer = case.call(base_url=self._base_url, session=self._client, timeout=TIMEOUT_S)
        self.outcome.request_count += 1
        self.outcome.statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
