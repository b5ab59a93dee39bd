# Two commands are the contract: `make demo` and `make test`. Both need nothing but Python 3.11+, make and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The tests start the command hundreds of times: where compiled modules are not kept, each time compiles all of them again.
unexport PYTHONDONTWRITEBYTECODE

# A third of the tests' time is spent waiting for LoadGen's durations and for browsers.
WORKERS := $(shell $(PYTHON) -c 'import os; print(-(-3 * len(os.sched_getaffinity(0)) // 2) if hasattr(os, "sched_getaffinity") else "auto")')

.PHONY: demo test coverage lint docs clean lock install bench

demo: install
	$(BIN)/assay demo

test: install lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow"

# Apart: tracing every line doubles the time.
coverage: install
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" --cov --cov-report=term

lint: install
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install
	$(BIN)/python docs/generate.py

bench: install
	$(BIN)/python benchmarks/run.py

install: $(STAMP)

# --no-deps: the lock is complete, and older pip would look for a newer release of what has an extra, with no hash of it.
$(STAMP): requirements/lock.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "assay needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

lock:
	uv pip compile pyproject.toml --extra all --group dev --python-version 3.11 --universal \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --output-file requirements/lock.txt --quiet

clean:
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* coverage.xml htmlcov
