# Everything runs from .venv, which is made on first use. `make` alone lists the targets.
BIN = .venv/bin
ARGS =

# Compiled files halve the time of every start, and the tests start the program very often.
unexport PYTHONDONTWRITEBYTECODE

# Side by side, each file of tests on one side. Four at most: they watch the clock.
PARALLEL = --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

BASE = .venv/.done-build
RUN = .venv/.done-run
DEV = .venv/.done-dev
ACCEPTANCE = .venv/.done-acceptance

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(RUN) ## see a service sleep, wake at the first request and sleep again (ARGS=--script: unattended)
	$(BIN)/poorwill demo $(ARGS)

test: tools $(ACCEPTANCE) ## lint and all tests, the acceptance and browser tests included
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest $(PARALLEL) $(ARGS)

unit: $(DEV) ## the fast tests only
	$(BIN)/pytest -m "not slow" --ignore=tests/acceptance --ignore=tests/browser $(ARGS)

lint: $(DEV) ## style, types, import contracts, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src
	$(BIN)/lint-imports --no-logo
	scripts/proto --check
	$(BIN)/python -m scripts.reference --check

bench: $(ACCEPTANCE) ## measure what the README promises
	$(BIN)/python -m bench $(ARGS)

chaos: tools $(DEV) ## a long day of kills and failures (SEED=7 CYCLES=500; the report is chaos.txt)
	$(BIN)/python -m tests.acceptance.chaos $(if $(SEED),--seed $(SEED)) --cycles $(or $(CYCLES),200) --report chaos.txt

proto: $(DEV) ## regenerate the protobuf code after an edit of authz.proto
	scripts/proto

lock: $(BASE) ## solve the dependencies again (ARGS=--upgrade: to the newest versions)
	scripts/lock $(ARGS)

tools: ## install the programs that the tests need (Debian: by apt-get; else says how)
	@scripts/install-test-tools

clean: ## remove .venv, caches and build outputs
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE): requirements/build.lock scripts/make-venv
	scripts/make-venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock
	@touch $@

# The locked packages first, then this package itself, in place.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python

$(RUN): $(BASE) requirements/run.lock pyproject.toml
	$(INSTALL) --require-hashes --compile-bytecode -r requirements/run.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements/dev.lock
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

$(ACCEPTANCE): $(RUN) requirements/acceptance.lock
	$(INSTALL) --require-hashes -r requirements/acceptance.lock
	@touch $@

.PHONY: help demo test unit lint bench chaos proto lock tools clean
