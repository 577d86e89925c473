#!/usr/bin/env bash
# setuptools: once it is imported, importlib.metadata lists the packages inside it as if they were installed.
#
# Versions: setuptools 81.0.0, packaging 25.0, Python 3.11.
# Input: an environment with setuptools and one other package, packaging. Nothing else is installed.
# Expected: `importlib.metadata.distributions()` lists two packages, before and after `import setuptools`.
# What happens: the import puts setuptools/_vendor at the end of sys.path. Its packages have metadata of their own, so they are all listed,
#   packaging twice, in two versions. `version("wheel")` answers for a package that is not installed.
# Who is hit: lists of packages (SBOM), scanners and `try: version(…)` that run in a process that has imported setuptools. Give
#   `distributions(path=[…])` the folder.
# Output seen:
#   before: 2 packages, wheel not installed. After: 14, wheel 0.46.3
#   packaging: ['packaging 25.0', 'packaging 26.0']
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" setuptools==81.0.0 packaging==25.0
# Isolated: of nothing else than that folder and the standard library.
python3.11 -I -S - "$packages" <<'PY'
import sys
from importlib.metadata import PackageNotFoundError, distributions, version

sys.path.append(sys.argv[1])


def listed():
    return sorted(f"{one.metadata['Name']} {one.version}" for one in distributions())


def wheel():
    try:
        return version("wheel")
    except PackageNotFoundError:
        return "not installed"


before, wheel_before = listed(), wheel()
import setuptools  # noqa: E402, F401

after, wheel_after = listed(), wheel()
print(f"before: {len(before)} packages, wheel {wheel_before}. After: {len(after)}, wheel {wheel_after}")
print("packaging:", [one for one in after if one.startswith("packaging ")])
assert len(before) == 2
assert len(after) > 10, "changed"
assert wheel_after != wheel_before == "not installed", "changed"
PY
