"""Each rule is shown a fault of its kind. One that nobody notices is a rule that does not work."""

from __future__ import annotations

import pytest

from tests.kubernetes.broken import FAULTS, Breaks, Cluster
from tests.kubernetes.manifests import Manifests, containers_of
from tests.kubernetes.rendering import named
from tests.kubernetes.rules import RULES


@pytest.mark.parametrize(
    ("rule", "variant", "breaks"), FAULTS, ids=[f"{n}-{rule}" for n, (rule, _, _) in enumerate(FAULTS, 1)]
)
def test_a_fault_of_each_kind_is_found(rule: str, variant: str, breaks: Breaks) -> None:
    cluster = Cluster(named(variant))
    assert not Manifests(cluster.documents).problems({rule: RULES[rule]})

    breaks(cluster)

    assert Manifests(cluster.documents).problems({rule: RULES[rule]})


def test_every_rule_is_shown_a_fault() -> None:
    assert set(RULES) == {rule for rule, _, _ in FAULTS}


def test_no_rule_is_for_pods_that_nobody_has() -> None:
    assert all(containers_of(workload) for workload in Manifests(named("gpu+everything")).workloads)
