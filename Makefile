# Everything a person does with Waypost. `make` alone lists it.

PY := .venv/bin/python
# What is checked for style and types: all of it.
CODE := .
# How many tests run side by side; each process has its own database and queue servers.
JOBS ?= 2
# Which tests: make test TESTS=tests/routing
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help run reset codes story test test-slow soak check lint bench migrate assets areas requirements clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: .venv/.installed ## Start the whole house here: doors, desk, workers, on-screen phone and mailbox
	@$(PY) run.py

reset: .venv/.installed ## Forget all that the stopped house kept
	@$(PY) run.py reset

codes: .venv/.installed ## Print the demonstration members' six-digit codes of this half minute
	@$(PY) run.py codes

story: .venv/.installed-dev ## Tell one tip's way through the real doors, with the ledger's verdict
	@$(PY) -m tests.journeys.story

test: .venv/.installed-dev .venv/chromium ## Install what tests need and run them (TESTS=tests/routing for some)
	@$(PY) -m pytest $(TESTS) -m "not slow" -n $(JOBS)

test-slow: .venv/.installed-dev .venv/chromium ## The long soaks, which no change waits for
	@$(PY) -m pytest $(TESTS) -m slow --timeout 1800

soak: .venv/.installed-dev ## Two minutes of killed workers, broker and database, and the count (SOAK="--seconds 600")
	@$(PY) -m tests.soak $(SOAK)

check: lint test ## All that a change must pass

lint: .venv/.installed-dev ## Style, types and the direction of imports
	@$(PY) -m ruff check $(CODE)
	@$(PY) -m ruff format --check $(CODE)
	@$(PY) -m mypy
	@$(PY) -c "from importlinter.cli import lint_imports_command as lint; lint()" --no-logo

bench: .venv/.installed-dev ## Measure costs and speeds and write docs/benchmarks.md (BENCH=locating for some)
	@$(PY) -m tests.benchmarks $(BENCH)

migrate: .venv/.installed ## Bring the database of the settings to this version
	@$(PY) -m flask --app wsgi migrate

assets: .venv/.installed ## Build the vendored style sheets anew
	@$(PY) -m foundation.assets.build

areas: .venv/.installed ## Build the tables of states, counties, places and ZIP codes anew
	@$(PY) -m routing.build

requirements: .venv/.installed-dev ## Pin requirements*.in anew (UPGRADE=--upgrade for newer versions)
	@for list in requirements requirements-dev; do \
	    $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	        --custom-compile-command "make requirements" $(UPGRADE) $$list.in --output-file $$list.txt; \
	done

clean: ## Remove what was installed and built, not what was kept
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv whose Python was upgraded away is made anew.
ifneq ($(wildcard .venv/.installed),)
ifneq ($(shell $(PY) -c 'print(1)' 2>/dev/null),1)
$(shell rm -rf .venv)
endif
endif

# Installing needs only a Python of 3.11 or newer: PYTHON=/path/to/python3 names one.
.venv/.installed: requirements.txt setup/install.sh
	@PYTHON="$(PYTHON)" sh setup/install.sh requirements.txt && touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@PYTHON="$(PYTHON)" sh setup/install.sh requirements-dev.txt && touch $@

# Looked for again after each install, so that a browser that came later is found.
.venv/chromium: .venv/.installed-dev setup/chromium.py
	@$(PY) setup/chromium.py $@
