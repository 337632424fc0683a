# `make` lists what there is. Everything is installed into .venv, once, and again when the requirements change.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The first Python that is new enough; any other by `make run PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: help run demo test test-browser bench lint format check-settings clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.embedded  ## the server with everything it needs, on http://127.0.0.1:5002 (PORT=, DATA_DIR=)
	@exec $(BIN)/python -m standins.run --end-with-parent

demo: $(VENV)/.embedded  ## a participant walks all 14 operations; texts and pictures go to out/ (BASE_URL=)
	@exec $(BIN)/python -m standins.demo

test: lint  ## lint, then the tests of the parts, of the API and of whole processes (ARGS= for pytest)
	$(BIN)/python -m pytest -n 4 --dist loadfile tests/unit tests/api $(ARGS)
	$(BIN)/python -m pytest -n 3 --dist loadfile tests/processes $(ARGS)

test-browser: $(VENV)/.dev  ## the tests in a real browser (needs chromium, see tests/browser)
	$(BIN)/python -m pytest tests/browser $(ARGS)

bench: $(VENV)/.dev  ## how near the server is to what is possible; writes docs/performance.md (ARGS="uniform fairness")
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.dev  ## layers, types, style
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/ruff check

format: $(VENV)/.dev  ## mend style and order of imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check-settings: $(VENV)/.embedded  ## tell what is wrong in settings/, without starting the server
	@$(BIN)/python -m apps.check_settings

clean:  ## remove what was installed and made; your data and .env stay
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.embedded: requirements.txt requirements-embedded.txt constraints.txt
	@$(MAKE_VENV)
	@echo "Installing into $(VENV) (a minute or two, only now) ..."
	@$(PIP) -r requirements-embedded.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.embedded
	@echo "Installing the tools for tests into $(VENV) (a minute or two, only now) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

# A .venv whose making was interrupted has no working pip, and is made again.
define MAKE_VENV
$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none is on the PATH." \
		"Install it, or name it: make run PYTHON=/path/to/python3.11" >&2; exit 1; }; \
	$(PYTHON) -m venv --clear $(VENV); }
endef
