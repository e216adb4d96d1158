# The commands of this project. `make help` lists them; CONTRIBUTING.md says when to use which.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
LAB = $(PYTHON) -B lab/lab.py
IN_LAB = eval "$$($(LAB) env)" &&
WORKERS ?= 3
FAST_WORKERS ?= 2
FAST = tests/config tests/gates tests/ledger tests/model tests/pipeline tests/promotion tests/stories tests/ui tests/usecases
WHEELHOUSE ?= dist/wheelhouse
WORKFLOWS = .github/workflows/*.yml pipelines/ci/github-*.yml
SCHEMA = $(BIN)/check-jsonschema --builtin-schema
LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade
LOCK_HEADER = \# Exact versions and hashes. Made by `make lock` from pyproject.toml; not to be edited by hand.

# Tests start hundreds of `promoter` commands. Without bytecode files each would compile the package again: 0.4 s of processor time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast matrix check bench bench-fronts bench-scale fuzz mutants down venv lab lint format types imports docs-check docs-site reference refresh-docs ci-check \
	wheelhouse dist lock python

help: ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed 's/:.*## /\t/' | expand -t 15

demo: venv lab ## DEV, TEST and PROD on a real engine, step by step
	@$(IN_LAB) $(BIN)/python lab/demo.py

test: venv lab ## everything the tests need, then the tests (ARGS="-k name" narrows)
	@$(LAB) buildx || true
	@$(LAB) front || true
	@$(LAB) swarm || true
	@$(LAB) evidence || true
	@$(LAB) ledgers || true
	@$(LAB) shells || true
	@$(IN_LAB) $(BIN)/pytest -n $(WORKERS) --dist worksteal --junitxml=build/tests.xml $(ARGS)

test-fast: venv ## the tests that need no engine and no process of their own, for the inner loop (ARGS="-k name" narrows)
	@$(BIN)/pytest -n $(FAST_WORKERS) --dist worksteal -m "not lab and not slow and not process" --durations=0 --durations-min=5 $(ARGS) $(FAST)

matrix: venv lab ## the same tests on several engines, and their table (ENGINES="docker-20.10 podman" chooses)
	@$(IN_LAB) $(BIN)/python -B lab/matrix.py $(ENGINES)

check: lint types imports docs-check ci-check test ## all that must hold before a change is merged: what CI runs

lint: venv ## format and rules, checked
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: venv ## format and rules, mended where that is mechanical
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: venv ## mypy --strict
	$(BIN)/mypy

imports: venv ## import-linter: imports point down only
	$(BIN)/lint-imports --no-cache

docs-check: venv docs-site ## the example files through `promoter validate`, the manual built
	@PROMOTER_LAB_REGISTRY=127.0.0.1:5000; export PROMOTER_LAB_REGISTRY; \
	for file in pipelines/*/pipeline.yaml; do echo "promoter validate $$file" && $(BIN)/promoter validate "$$file" || exit 1; done

docs-site: venv ## the manual as a site in build/site; a warning is an error
	@$(BIN)/sphinx-build -q -W -n --keep-going --fresh-env -d build/doctrees docs build/site
	@echo "build/site/index.html is the manual"

reference: venv ## docs/reference and the pictures written anew from the code
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/pictures/terminal.py

refresh-docs: venv lab ## write the answers on the pages that tests run again, from a real run
	@$(IN_LAB) $(BIN)/python -m tests.docs.refresh

ci-check: venv ## what CI runs, ours and the examples: schemas, actionlint, zizmor at its strictest, shellcheck
	$(SCHEMA) vendor.github-workflows $(WORKFLOWS)
	$(SCHEMA) vendor.github-actions action.yml
	$(SCHEMA) vendor.gitlab-ci --data-transform gitlab-ci pipelines/ci/gitlab-ci.yml
	$(SCHEMA) vendor.woodpecker-ci pipelines/ci/woodpecker.yml
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck $(WORKFLOWS)
	$(BIN)/zizmor --quiet --offline --persona=auditor --strict-collection . pipelines/ci/github-*.yml
	$(BIN)/shellcheck -x .ci/run .github/*.sh .github/action/*.sh

bench: venv lab ## the job beside its peers, in one run: times and ratios
	@$(LAB) buildx || true
	@$(IN_LAB) $(BIN)/python bench/bench.py $(ARGS)

bench-fronts: venv lab ## releases replaced under load: no request may fail (ARGS="--swaps 5")
	@$(LAB) front
	@$(IN_LAB) $(BIN)/python bench/fronts.py $(ARGS)

bench-scale: venv lab ## how the time grows with environments and hosts, and drift (ARGS="--rounds 3 --hosts 4")
	@$(LAB) front
	@$(IN_LAB) $(BIN)/python bench/scale.py $(ARGS)

down: python ## stops and removes all that the lab started
	@$(PYTHON) -B lab/demo.py clear
	@$(LAB) down

lab: python
	@$(LAB) up

venv: $(VENV)/.installed ## the virtual environment, from hash-pinned requirements

$(VENV)/.installed: requirements/dev.txt pyproject.toml | python
	@$(LAB) venv $(VENV)
	@echo "installing what requirements/dev.txt pins" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

wheelhouse: venv ## wheels of promoter and of all it needs, for machines without internet that have the same Python
	@mkdir -p "$(WHEELHOUSE)" && rm -f "$(WHEELHOUSE)"/promoter-*.whl
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		--requirement requirements/run.txt --dest "$(WHEELHOUSE)"
	@$(BIN)/python -m build --wheel --no-isolation --outdir "$(WHEELHOUSE)" . >/dev/null
	@echo "$(WHEELHOUSE): $$(ls "$(WHEELHOUSE)" | wc -l) wheels for $$($(BIN)/python -c 'import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform())')"

dist: venv ## the wheel and the source archive of this version; a TAG in the environment must say the same
	@said="v$$($(BIN)/python -c 'import promoter; print(promoter.__version__)')"; \
	if [ "$${TAG:-$$said}" != "$$said" ]; then echo "the tag is $$TAG, and promoter.__version__ says $$said: make them the same" >&2; exit 1; fi
	@rm -rf dist/release
	@$(BIN)/python -m build --no-isolation --outdir dist/release . >/dev/null
	@ls dist/release

mutants: venv ## faults planted in gates and verifier, and which of them no test notices (takes half an hour)
	@test -x .mutants/bin/mutmut || { $(LAB) venv .mutants && .mutants/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements/dev.txt -r requirements/mutation.txt; }
	@.mutants/bin/mutmut run --max-children $(WORKERS) && .mutants/bin/mutmut results

fuzz: venv ## changed inputs for every parser, half a minute each (ARGS="--inputs N --seconds S --seed N --only NAME")
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

lock: ## new versions for requirements/*.txt (needs uv)
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) -c requirements/run.txt pyproject.toml --group dev -o requirements/dev.txt
	$(LOCK) requirements/bench.in -o requirements/bench.txt
	$(LOCK) -c requirements/dev.txt requirements/mutation.in -o requirements/mutation.txt
	@for file in run dev bench mutation; do sed -i '1i $(LOCK_HEADER)' requirements/$$file.txt; done

python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "promoter needs Python 3.11 or newer; python3 here is $$(python3 --version 2>&1). Install one, or: make PYTHON=/path/to/python3.12 …" >&2; \
		exit 1; fi
