"""Services, addresses, policies, the Ingress."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateway.settings import GatewaySettings
from tests.kubernetes.manifests import (
    ADDRESS,
    Document,
    Manifests,
    Rule,
    containers_of,
    labels_of,
    name_of,
    namespace_of,
    process_of,
    quantity,
    takes,
)
from tests.kubernetes.processes import PROCESSES, told

NGINX = "nginx.ingress.kubernetes.io/"
USES = "interview/"
"""Labels that components put on pods. Policies of pods that nobody labels wait for them."""
NO_WAY_OUT = ("vision", "translator", "assessor")
"""They call nobody outside, unless a label that a person sets says so."""
PUBLIC = "0.0.0.0/0"
AGE = "max_connection_age_s"
MAX_AGE_S = 60


def services_have_pods(m: Manifests) -> Iterator[tuple[Document, str]]:
    for service in m.of("Service"):
        behind = m.behind(service)
        if not behind:
            yield service, "selects no pod"
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            if not port.get("name"):
                yield service, f"port {port['port']} has no name"
            for workload in behind:
                declared = [p for c in containers_of(workload) for p in c.get("ports", [])]
                found = [p for p in declared if target in (p.get("name"), p["containerPort"])]
                if not found:
                    yield service, f"leads to port {target}, which {name_of(workload)} does not have"
                elif service["spec"].get("clusterIP") == "None" and found[0]["containerPort"] != port["port"]:
                    yield service, f"is headless, so port {port['port']} is not led to {target}"


def processes_have_services(m: Manifests) -> Iterator[tuple[Document, str]]:
    for workload in m.of("Deployment"):
        process = process_of(workload)
        services = [s for s in m.of("Service") if workload in m.behind(s)]
        if process not in PROCESSES:
            continue
        if not any(p.get("name") == "metrics" for s in services for p in s["spec"]["ports"]):
            yield workload, "its metrics are on no Service"
        grpc = [s for s in services if any(p.get("name") == "grpc" for p in s["spec"]["ports"])]
        if any(s["spec"].get("clusterIP") != "None" for s in grpc):
            yield workload, "gRPC through a ClusterIP stays with one pod. Make the Service headless"


def connections_are_renewed(m: Manifests) -> Iterator[tuple[Document, str]]:
    """A caller that keeps its connections never calls a pod that was added."""
    for workload in m.of("Deployment"):
        process = process_of(workload)
        age_s = getattr(told(process, m.settings(workload)), AGE, None) if process in PROCESSES else None
        if age_s is None:
            continue
        if f"{process}_{AGE}".upper() not in m.settings(workload) or not 0 < age_s <= MAX_AGE_S:
            yield workload, f"keeps connections for {age_s or 'ever'} s, so a new pod gets no calls"


def addresses_lead_somewhere(m: Manifests) -> Iterator[tuple[Document, str]]:
    services = {(namespace_of(s), name_of(s)): s for s in m.of("Service")}
    for workload in m.workloads:
        for name, value in m.settings(workload).items():
            for host, port in ADDRESS.findall(value):
                service = services.get((namespace_of(workload), host))
                if service is None:
                    yield workload, f"{name}={value}: there is no Service {host}"
                elif int(port) not in [p["port"] for p in service["spec"]["ports"]]:
                    yield workload, f"{name}={value}: Service {host} has no port {port}"
                elif name.endswith("_ADDRESS") and not value.startswith("dns:///"):
                    yield workload, f"{name}={value}: without dns:/// the name is looked up once"


def policies_take_pods(m: Manifests) -> Iterator[tuple[Document, str]]:
    for policy in m.of("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        waits = all(key.startswith(USES) for key in selector.get("matchLabels") or {"": ""})
        vllm = (selector.get("matchLabels") or {}).get("app.kubernetes.io/name") == "vllm"
        if not waits and not vllm and not m.selected(policy, selector):
            yield policy, "selects no pod"


def callers_get_through(m: Manifests) -> Iterator[tuple[Document, str]]:
    """Where policies are, each address that a process is told is open at both ends."""
    if not m.of("NetworkPolicy"):
        return
    services = {(namespace_of(s), name_of(s)): s for s in m.of("Service")}
    for caller in m.workloads:
        values = m.settings(caller).values()
        for host, port in sorted({found for value in values for found in ADDRESS.findall(value)}):
            service = services.get((namespace_of(caller), host))
            for server in m.behind(service) if service else []:
                wanted = _container_port(service or {}, server, int(port))
                if not _lets(m, "Egress", caller, server, wanted):
                    yield caller, f"calls {host}, and no policy lets it out"
                if not _lets(m, "Ingress", server, caller, wanted):
                    yield caller, f"calls {host}, and no policy of {name_of(server)} lets it in"


def _container_port(service: Document, server: Document, port: int) -> int:
    target = next(p.get("targetPort", p["port"]) for p in service["spec"]["ports"] if p["port"] == port)
    declared = [p for c in containers_of(server) for p in c.get("ports", [])]
    return next(
        (int(p["containerPort"]) for p in declared if target in (p.get("name"), p["containerPort"])), port
    )


def _policies(m: Manifests, direction: str, workload: Document) -> list[Document]:
    return [
        policy["spec"]
        for policy in m.of("NetworkPolicy")
        if namespace_of(policy) == namespace_of(workload)
        and takes(policy["spec"]["podSelector"], labels_of(workload))
        and direction in policy["spec"].get("policyTypes", [])
    ]


def _lets(m: Manifests, direction: str, of: Document, peer: Document, port: int) -> bool:
    policies = _policies(m, direction, of)
    for rule in (rule for policy in policies for rule in policy.get(direction.lower()) or []):
        peers = rule.get("to" if direction == "Egress" else "from")
        named = any("podSelector" in p and takes(p["podSelector"], labels_of(peer)) for p in peers or [])
        ports = [p.get("port") for p in rule.get("ports") or []]
        if (named or not peers) and (not ports or port in ports):
            return True
    return not policies


def nobody_else_gets_through(m: Manifests) -> Iterator[tuple[Document, str]]:
    if not m.of("NetworkPolicy") or not any(name_of(p) == "deny-all" for p in m.of("NetworkPolicy")):
        if any(name_of(p) == "names" for p in m.of("NetworkPolicy")):
            yield m.of("NetworkPolicy")[0], "there are rules for callers, and all others may call as well"
        return
    for workload in m.of("Deployment"):
        if not _policies(m, "Ingress", workload) or not _policies(m, "Egress", workload):
            yield workload, "no policy closes it"
        if process_of(workload) in NO_WAY_OUT and "interview/fetches-models" not in labels_of(workload):
            for rule in (r for p in _policies(m, "Egress", workload) for r in p.get("egress") or []):
                if any((peer.get("ipBlock") or {}).get("cidr") == PUBLIC for peer in rule.get("to") or []):
                    yield workload, "has a way out that it does not need"


def the_front_door_holds_uploads(m: Manifests) -> Iterator[tuple[Document, str]]:
    for ingress in m.of("Ingress"):
        notes = ingress["metadata"].get("annotations") or {}
        gateways = [w for w in m.of("Deployment") if process_of(w) == "gateway"]
        settings = told("gateway", m.settings(gateways[0]))
        assert isinstance(settings, GatewaySettings)
        body = notes.get(NGINX + "proxy-body-size", "1m")
        if quantity(body.upper().replace("M", "Mi").replace("G", "Gi")) < settings.max_total_bytes:
            yield ingress, f"takes bodies of {body}, and the gateway {settings.max_total_bytes} bytes"
        for kind in ("read", "send"):
            if int(notes.get(f"{NGINX}proxy-{kind}-timeout", "60")) < settings.upload_timeout_s:
                yield ingress, f"ends streams and uploads early (proxy-{kind}-timeout)"
        if (
            notes.get(NGINX + "proxy-buffering") != "off"
            or notes.get(NGINX + "proxy-request-buffering") != "off"
        ):
            yield ingress, "keeps events and uploads back (proxy-buffering, proxy-request-buffering)"
        if settings.allow_anonymous or not settings.has_keys:
            yield ingress, "leads strangers to a gateway that asks for no key"
        if not settings.proxies:
            yield ingress, "makes all clients one address (GATEWAY_TRUSTED_PROXIES)"
        yield from ((ingress, text) for text in _of_hosts(m, ingress, settings.allowed_hosts))


def _of_hosts(m: Manifests, ingress: Document, allowed: tuple[str, ...]) -> Iterator[str]:
    hosts = [rule["host"] for rule in ingress["spec"]["rules"]]
    if not set(hosts) <= set(allowed):
        yield f"leads {hosts} to a gateway that answers to {json.dumps(allowed)}"
    if set(hosts) != {host for entry in ingress["spec"].get("tls", []) for host in entry["hosts"]}:
        yield "takes hosts without TLS"
    for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
        backend = path["backend"]["service"]
        service = m.index.get(("Service", namespace_of(ingress), backend["name"]))
        ports = [p.get("name") for p in service["spec"]["ports"]] if service else []
        if backend["port"].get("name") not in ports:
            yield f"leads to {backend['name']}:{backend['port']}, which is not there"


RULES: tuple[Rule, ...] = (
    services_have_pods,
    processes_have_services,
    connections_are_renewed,
    addresses_lead_somewhere,
    policies_take_pods,
    callers_get_through,
    nobody_else_gets_through,
    the_front_door_holds_uploads,
)
