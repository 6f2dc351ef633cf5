# Every target does its own set-up. ARGS is handed on, as in: make test ARGS='tests/domain -k queue'
.DEFAULT_GOAL := help
.PHONY: help install run test coverage bench chaos lint ruff mypy pyright imports format docs clean

BIN := .venv/bin
SET_UP := pyproject.toml constraints.txt .ci/venv.sh

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 10

install: .venv/.dev ## build .venv, with everything to work on Holdfast

run: .venv/.run ## start a daemon and its page, and print the link that opens it
	@exec $(BIN)/python -I -m holdfast.bootstrap.daemon.parent $(ARGS)

test: .venv/.dev ## run the whole suite in parallel, real servers included
	@.ci/provision.sh
	$(BIN)/pytest -n auto --dist worksteal --durations 25 $(ARGS)

coverage: .venv/.dev ## run the whole suite and show what of the code it runs through
	@.ci/provision.sh
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term $(ARGS)

bench: .venv/.dev ## measure speed against baselines in the same run
	@.ci/provision.sh
	$(BIN)/python -m tests.benchmarks $(ARGS)

chaos: .venv/.dev ## run the long tests under faults
	@.ci/provision.sh
	$(BIN)/pytest -n auto --dist worksteal -m chaos --timeout 0 $(ARGS)

lint: .venv/.dev ## check style, types and import contracts
	@$(MAKE) --no-print-directory --keep-going --jobs=4 --output-sync=target ruff mypy pyright imports

ruff: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

mypy: .venv/.dev
	$(BIN)/mypy

pyright: .venv/.dev
	$(BIN)/pyright

imports: .venv/.dev
	$(BIN)/lint-imports --no-logo

format: .venv/.dev ## rewrite the sources in the one style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.dev ## build the documentation into site/
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean: ## remove what was built
	rm -rf .venv site dist build .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache

.venv/.dev: $(SET_UP)
	@.ci/venv.sh dev
	@touch .venv/.run $@

.venv/.run: $(SET_UP)
	@.ci/venv.sh
	@touch $@
