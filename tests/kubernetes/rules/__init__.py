"""What no schema can see: what must hold between the objects. A rule yields objects and what is wrong."""

from __future__ import annotations

from tests.kubernetes.manifests import Rule
from tests.kubernetes.rules import network, pods, scaling, settings, workloads

RULES: dict[str, Rule] = {
    rule.__name__: rule for module in (workloads, pods, settings, network, scaling) for rule in module.RULES
}
