"""What holds for the Dockerfile of every process, and what none of them may do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from images.own_metadata import write
from tests.deployment.image_files import FOLDERS, LOCKS, Instruction, dockerfile_of, stages_of
from tests.folders import ROOT

LABELS = ("title", "description", "version", "revision", "source", "licenses")
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")

pytestmark = pytest.mark.parametrize("image", sorted(FOLDERS))


def of(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.rest for instruction in stage if instruction.word == word]


def test_the_base_is_an_argument_and_the_same_in_all_stages(image: str) -> None:
    stages = stages_of(image)

    assert dockerfile_of(image).read_text(encoding="utf-8").count("\nARG BASE_IMAGE=") == 1
    assert {name: of(stage, "FROM") for name, stage in stages.items()} == {
        "root": ["${BASE_IMAGE} AS root"],
        "build": ["${BASE_IMAGE} AS build"],
        "final": ["scratch"],
    }


def test_all_images_share_one_trimmed_root(image: str) -> None:
    """One difference, and each image would bring a layer of its own."""
    stages = stages_of(image)

    assert stages["root"] == stages_of("gateway")["root"]
    copied = of(stages["root"], "COPY")
    assert "images/hosts /etc/" in copied, (
        "an engine that makes /etc/hosts for a step changes the time of /etc"
    )
    assert of(stages["final"], "COPY")[0] == "--from=root / /"
    assert of(stages["final"], "RUN") == [] or stages["final"][1].word == "COPY"


def test_what_a_copied_root_lacks_is_set_again(image: str) -> None:
    """A copy has the base's files, and none of its variables."""
    (variables,) = of(stages_of(image)["final"], "ENV")

    assert "PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin " in variables
    assert "LANG=C.UTF-8" in variables
    assert "LOGNAME=interview" in variables, "getpass.getuser() fails for a user without an account"
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in variables


def test_packages_are_installed_in_the_build_stage_by_hash(image: str) -> None:
    stages = stages_of(image)
    installs = [command for command in of(stages["build"], "RUN") if "pip" in command]

    assert len(installs) == 1
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:", "--no-cache-dir"):
        assert option in installs[0]
    assert "trim_packages.py /opt/venv" in installs[0]
    assert not any("pip" in command for command in of(stages["final"], "RUN"))


def test_the_lock_of_the_image_is_the_one_installed(image: str) -> None:
    (source,) = [rest.split()[0] for rest in of(stages_of(image)["build"], "COPY") if "images/locks/" in rest]

    assert (ROOT / source.replace("${IMAGE}", image)).exists()
    assert source.replace("${IMAGE}", image) == f"images/locks/{image}.txt"


def test_the_final_stage_takes_only_what_was_built(image: str) -> None:
    copies = of(stages_of(image)["final"], "COPY")

    assert copies
    assert all(copy.startswith(("--from=root ", "--from=build ")) for copy in copies)


def test_a_process_runs_as_a_number_and_gets_signals_itself(image: str) -> None:
    final = stages_of(image)["final"]

    assert of(final, "USER") == ["10001:10001"]
    (entry,) = of(final, "ENTRYPOINT")
    assert json.loads(entry)[0] == "python"
    assert of(final, "CMD") == []


def test_no_setting_of_a_process_has_a_default_in_its_image(image: str) -> None:
    names = set(re.findall(r"([A-Z_]+)=", " ".join(of(stages_of(image)["final"], "ENV"))))

    assert names <= {
        "PATH",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
        "LANG",
        "LOGNAME",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "PIP_CERT",
        "LD_LIBRARY_PATH",
        "MALLOC_ARENA_MAX",
    }


def test_no_dockerfile_knows_where_python_keeps_packages(image: str) -> None:
    assert "site-packages" not in dockerfile_of(image).read_text(encoding="utf-8")


def test_an_image_says_what_it_is_and_from_which_source(image: str) -> None:
    (labels,) = of(stages_of(image)["final"], "LABEL")

    assert re.findall(r"org\.opencontainers\.image\.(\w+)=", labels) == list(LABELS)


def test_nothing_is_downloaded_but_wheels_and_system_packages(image: str) -> None:
    text = dockerfile_of(image).read_text(encoding="utf-8")

    assert not re.search(
        r"\bADD\b|curl|wget|git clone|://|--index-url|--extra-index-url|--trusted-host", text
    )


def test_what_is_copied_is_let_through(image: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = tuple(line.removeprefix("!") for line in ignored if line.startswith("!"))
    stages = stages_of(image)
    copies = [*of(stages["root"], "COPY"), *of(stages["build"], "COPY")]
    sources = [source for rest in copies for source in rest.split()[:-1]]

    assert "*" in ignored
    assert [source for source in sources if not source.startswith(let_through)] == []


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (`make setup` installs it)")
def test_hadolint_finds_nothing(image: str) -> None:
    assert HADOLINT is not None
    command = [HADOLINT, "--no-color", str(dockerfile_of(image))]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


def test_an_image_knows_the_version_of_the_project(image: str, tmp_path: Path) -> None:
    written = write(ROOT / "pyproject.toml", tmp_path)
    (metadata,) = tmp_path.rglob("METADATA")

    assert "python /build/own_metadata.py /app" in " ".join(of(stages_of(image)["build"], "RUN"))
    assert written.name == "interview_assessment-0.1.0.dist-info"
    assert "Name: interview-assessment\nVersion: 0.1.0\n" in metadata.read_text(encoding="utf-8")
    assert LOCKS.is_dir()
