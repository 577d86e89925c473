"""What an image installs is what the project pins, with hashes, and enough for its own code."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deployment.image_files import EXTRAS, FOLDERS, LOCKS, copied_code, excluded, locked
from tests.folders import ROOT

OWN = ("interview", "chassis", "services", "orchestrator", "gateway", "cli")
STANDS_FOR = {"opencv-python": "opencv-python-headless", "opencv-contrib-python": "opencv-python-headless"}
"""One OpenCV, and the one that needs no display."""
ONLY_ON_A_DESK = {"xllamacpp"}
"""The local language model of `interview llm`. The image that fetches models has none."""
NEVER = ("torch", "triton", "opencv-python", "opencv-contrib-python", "nvidia-cudnn-cu12", "pytest", "moto")
CPU_ONLY = re.compile(r"nvidia|cuda|cudnn|cublas")

pytestmark = pytest.mark.parametrize("image", sorted(EXTRAS))


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*OWN, include_external_packages=True, cache_dir=None)


@pytest.fixture(scope="module")
def distributions() -> dict[str, set[str]]:
    """The packages that bring each importable name."""
    found = packages_distributions()
    return {module: {canonicalize_name(name) for name in names} for module, names in found.items()}


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def test_a_lock_pins_the_versions_that_the_project_pins(image: str) -> None:
    versions = {name: version for name, (version, _) in locked(image).items()}

    assert versions == {name: constraints().get(name) for name in versions}, "run `make locks`"


def test_every_package_of_a_lock_has_hashes(image: str) -> None:
    assert [name for name, (_, hash_count) in locked(image).items() if hash_count == 0] == []


def test_a_lock_has_all_that_the_extra_names(image: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [Requirement(line) for line in [*project["dependencies"], *extras[EXTRAS[image]]]]
    names = {canonicalize_name(requirement.name) for requirement in wanted} - {"interview-assessment"}

    assert names - excluded(image) <= set(locked(image)), "run `make locks`"


def test_a_lock_names_no_index(image: str) -> None:
    text = (LOCKS / f"{image}.txt").read_text(encoding="utf-8")

    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_no_image_has_pytorch_or_two_opencvs_or_tests(image: str) -> None:
    assert set(NEVER) & set(locked(image)) == set()


def test_only_the_gpu_image_has_cuda(image: str) -> None:
    cuda = [name for name in locked(image) if CPU_ONLY.search(name)]

    assert bool(cuda) == (image == "transcriber-gpu")


def test_what_is_left_out_is_not_in_the_lock(image: str) -> None:
    assert excluded(image) & set(locked(image)) == set()


def test_an_image_has_the_code_that_its_process_imports(image: str, imports: grimp.ImportGraph) -> None:
    name = image.removesuffix("-gpu")
    entry = "cli.app" if name == "models" else f"{FOLDERS[name].replace('/', '.')}.__main__"
    needed = {module for module in {entry, *imports.find_upstream_modules(entry)} if module.startswith(OWN)}
    copied = copied_code(name) - {"services", "protos.gen"} | {"interview"}

    assert {module for module in needed if not module.startswith(tuple(copied))} <= {"services"}
    assert copied - {"interview"} == {
        module for module in copied if any(m.startswith(module) for m in needed)
    } - {"interview"}


def test_an_image_has_the_packages_that_its_code_imports(
    image: str, imports: grimp.ImportGraph, distributions: dict[str, set[str]]
) -> None:
    name = image.removesuffix("-gpu")
    entry = "cli.app" if name == "models" else f"{FOLDERS[name].replace('/', '.')}.__main__"
    upstream = {module.split(".")[0] for module in imports.find_upstream_modules(entry)}
    packages = set(locked(image)) | ONLY_ON_A_DESK
    offered = {module: distributions[module] for module in upstream & set(distributions) - set(OWN)}
    stood_for = {
        module: brought | {STANDS_FOR[one] for one in brought & set(STANDS_FOR)}
        for module, brought in offered.items()
    }

    assert {module: brought for module, brought in stood_for.items() if not brought & packages} == {}
