"""Requests made from the gateway's own description of its API, odd ones among them, and every answer checked by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
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


@dataclass
class Outcome:
    """What came of many requests."""

    request_count: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """One for each operation that answered against the description."""


def try_examples(
    document: dict[str, Any], base_url: str, example_count: int, session_ids: list[str]
) -> Outcome:
    """Send examples to every operation.

    Args:
        document: The OpenAPI document.
        base_url: The gateway.
        example_count: Requests to each operation. Every second one breaks the description.
        session_ids: Sessions that there are. Half of the requests name one of them.
    """
    outcome = Outcome()
    schema = schemathesis.openapi.from_dict(document)
    with requests.Session() as client:
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                try:
                    _try_operation(
                        operation, mode, base_url, example_count // 2, session_ids, client, outcome
                    )
                except hypothesis.errors.Unsatisfiable:
                    continue  # Nothing of it can be wrong.
                except (FailureGroup, requests.RequestException) as failure:
                    outcome.failures.append(f"{operation.label}: {failure}")
    return outcome


def _try_operation(
    operation: Any,
    mode: GenerationMode,
    base_url: str,
    example_count: int,
    session_ids: list[str],
    client: requests.Session,
    outcome: Outcome,
) -> None:
    settings = hypothesis.settings(
        max_examples=example_count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @settings
    @given(case=operation.as_strategy(generation_mode=mode), named=st.sampled_from([None, *session_ids]))
    def attempt(case: Any, named: str | None) -> None:
        if named is not None and "session_id" in (case.path_parameters or {}):
            case.path_parameters["session_id"] = named
        answer = case.call(base_url=base_url, session=client, timeout=TIMEOUT_S)
        outcome.request_count += 1
        outcome.statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    attempt()
