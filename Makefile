# make demo | test | check | campus DATA=DIR | bench | lock | fmt
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
WEB := dashboards/web
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public $(WEB)/index.html $(WEB)/package-lock.json $(WEB)/vite.config.ts 2>/dev/null)
ARGS ?=

.PHONY: help demo campus setup setup-dev web check test fmt lock bench clean

help:
	@echo "make demo                run a whole simulated park here (ARGS='--json --data DIR')"
	@echo "make campus DATA=DIR     import a folder of real metering and account for it"
	@echo "make test                run every test; make check: style, types, contracts"
	@echo "make bench               the benchmark table"

$(VENV)/bin/python:
	@deploy/local/venv.sh "$(PYTHON)" "$(VENV)"

# Setting up talks on standard error: standard output belongs to what was asked for.
# One stamp for what the demo needs, one for what developers need on top.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@echo "── installing ParkCarbon (locked, hashes checked)" >&2
	@if [ ! -e $(VENV)/.dev ]; then $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/demo.txt; fi
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "── installing ParkCarbon with developers' tools (locked, hashes checked)" >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

$(WEB)/node_modules/.stamp: $(WEB)/package-lock.json | $(VENV)/.demo
	@echo "── installing the web app's packages" >&2
	@cd $(WEB) && PATH="$$($(CURDIR)/$(BIN)/python $(CURDIR)/deploy/local/node_path.py):$$PATH" npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

$(WEB)/dist/index.html: $(WEB_SOURCES) $(WEB)/node_modules/.stamp
	@echo "── building the web app" >&2
	@cd $(WEB) && PATH="$$($(CURDIR)/$(BIN)/python $(CURDIR)/deploy/local/node_path.py):$$PATH" npm run --silent build >&2

setup: $(VENV)/.demo web
setup-dev: $(VENV)/.dev web
web: $(WEB)/dist/index.html

demo: setup
	@$(BIN)/parkcarbon demo $(ARGS)

campus: $(VENV)/.demo
	@test -n "$(DATA)" || { echo "make campus DATA=DIR: which folder?"; exit 2; }
	@$(BIN)/parkcarbon campus "$(DATA)" $(ARGS)

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/house_rules.py
	@cd $(WEB) && PATH="$$($(CURDIR)/$(BIN)/python $(CURDIR)/deploy/local/node_path.py):$$PATH" npm run --silent check && \
	 PATH="$$($(CURDIR)/$(BIN)/python $(CURDIR)/deploy/local/node_path.py):$$PATH" npm test --silent

test: setup-dev
	@deploy/local/system_packages.sh
	@$(BIN)/python -m pytest $(ARGS)

bench: setup-dev
	@for file in tests/bench/bench_*.py; do echo "── $$file"; $(BIN)/python $$file || exit 1; done

fmt: setup-dev
	@$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format .

# Lock files carry hashes and name no index: the machine's own settings say where packages come from.
lock:
	@$(BIN)/python -m pip install -q uv
	@for set in demo dev; do $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	   --no-header --no-annotate --extra build --extra web --extra $$set pyproject.toml -o requirements/$$set.txt; done

clean:
	@rm -rf $(VENV) $(WEB)/node_modules $(WEB)/dist .servers
