# Everything that people do with this checkout. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
MODELS := whisper-base face-landmarker-full-range voice-encoder
LOCAL_LLM_MODEL := qwen2.5-coder-1.5b
# Only the slow tests want them.
TEST_MODELS := whisper-tiny.en smollm2-135m
PROTOS := $(shell find protos/interview -name '*.proto' 2>/dev/null)
# The four shared libraries that mediapipe and OpenCV want and a bare Debian lacks.
SYSTEM_PACKAGES := libgl1 libglib2.0-0 libegl1 libgles2
LLM ?=
RUNS ?= 1
# Many tests wait for something to happen (or not to): more at once than there are cores.
TEST_WORKERS ?= 4
# Models and whole systems are work for a core each. What is broken on purpose mostly waits.
SLOW_WORKERS ?= 2
CHAOS_WORKERS ?= 4
# Where the slow tests are, the longest first. The default tests pass the folders by: reading them takes seconds too.
SLOW_TESTS := tests/e2e tests/model tests/contract/test_api_examples.py tests/browser
CHAOS_TESTS := tests/chaos tests/contract/test_restored.py
SLOW_FOLDERS := $(filter-out %.py,$(SLOW_TESTS) $(CHAOS_TESTS))
# Hundreds of processes are started here. Each would compile its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup system-packages models protos locks images images-report compose-check check format test e2e chaos bench up demo down clean

help: ## List the targets
	@grep -hE '^[a-zA-Z_%-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  %-16s %s\n", $$1, $$2}'

setup: system-packages $(VENV)/.installed models ## Install everything: system libraries, Python packages, models

system-packages:
	@missing=""; for p in $(SYSTEM_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	elif command -v dpkg >/dev/null; then \
	  echo "Shared libraries are missing. Run: sudo apt-get install -y$$missing"; exit 1; \
	fi

$(VENV)/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed ($(PYTHON) not found); set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages (a few minutes the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]' 2>&1 | { grep -v '^WARNING' || true; }
	@$(BIN)/python -c 'import interview.v1, chassis'
	@touch $@

models: $(VENV)/.installed
	@$(BIN)/interview models fetch $(MODELS)

protos: $(VENV)/.installed ## Generate code from the contracts
	@$(BIN)/python -m grpc_tools.protoc -I protos --python_out=protos/gen --pyi_out=protos/gen \
	  --grpc_python_out=protos/gen $(PROTOS)
	@cp orchestrator/result/schema.json protos/gen/interview/v1/result.schema.json
	@mkdir -p build && $(BIN)/python -m grpc_tools.protoc -I protos --include_imports --include_source_info \
	  --descriptor_set_out=build/interview.binpb $(PROTOS)
	@echo "descriptor set: build/interview.binpb"

locks: $(VENV)/.installed ## Write what each image installs, with hashes (images/locks), after a change of versions
	@images/lock.sh $(BIN)/uv

images: ## Build the images of all processes (IMAGES=transcriber-gpu: that one)
	@images/build.sh $(IMAGES)

images-report: $(VENV)/.installed ## Sizes of the built images, and a list of packages (SBOM) beside each in build/images
	@$(BIN)/python -m images.report $(IMAGES)

compose-check: $(VENV)/.installed ## Take the demo clip through containers, with one killed and a stage twice (needs images and an engine)
	@$(BIN)/pytest -q -m engine tests/deployment --timeout 1500

check: $(VENV)/.installed ## Lint, types, import contracts, known advisories
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@! grep -rnE 'stub\.[A-Z][A-Za-z]+\(' --include='*.py' orchestrator gateway cli | grep -v timeout
	@$(BIN)/python .ci/audit.py

format: $(VENV)/.installed ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only -q .

test: setup ## Set up and pass the default tests (a few minutes)
	@$(BIN)/pytest -q -n $(TEST_WORKERS) --dist loadfile $(addprefix --ignore=,$(SLOW_FOLDERS))

e2e: setup ## The slow tiers: real weights, whole processes, the page in a browser
	@$(BIN)/interview models fetch $(TEST_MODELS)
	@$(BIN)/pytest -q -m 'model or recordings or e2e or browser' --timeout 1200 $(SLOW_TESTS) \
	  -n $(SLOW_WORKERS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/pytest -q -m chaos --timeout 600 $(CHAOS_TESTS) -n $(CHAOS_WORKERS)

chaos: setup ## Break the running system on purpose, and count what is lost (nothing); RUNS=10 does it ten times
	@$(BIN)/python -m benchmarks.chaos --runs $(RUNS)

bench: $(addprefix bench-,$(shell grep -l __main__ benchmarks/*.py | xargs -n1 basename -s .py) $(notdir $(patsubst %/,%,$(dir $(wildcard benchmarks/*/__main__.py))))) ## All benchmarks

bench-%: setup ## Run benchmarks/NAME: a table, and one JSON line at the end
	@$(BIN)/python -m benchmarks.$*

up: setup ## Start the seven processes on this machine (Ctrl-C or `make down` stops them)
	@mkdir -p build data/store
	@exec $(BIN)/interview up

demo: setup ## Set up and take the demo clip through everything; LLM=local adds a local language model
	@if [ "$(LLM)" = local ]; then $(BIN)/interview models fetch $(LOCAL_LLM_MODEL); fi
	@$(BIN)/interview demo $(if $(LLM),--llm $(LLM))

down: ## Stop what `make up` started
	@pid="$$(cat build/up.pid 2>/dev/null || true)"; \
	if [ -n "$$pid" ] && kill -TERM "$$pid" 2>/dev/null; then \
	  for _ in $$(seq 100); do kill -0 "$$pid" 2>/dev/null || break; sleep 0.2; done; \
	fi; rm -f build/up.pid

clean: down ## Remove what was built here; the environment, fetched models and sessions stay
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
