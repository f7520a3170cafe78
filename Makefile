# Everything a person types here works on a machine with Python 3.11, make and a package index.
PYTHON ?= python3
# How much of the long proof is done, which stories, and for how long at most.
EXAMPLES ?= 2000
SEED ?= 1
MINUTES ?= inf
# How often the benchmarks repeat each of their measurements, and which parts are wanted.
RUNS ?= 5
PARTS ?=
# Given: growth is measured to a million customers, which takes some minutes more.
GROWTH ?=
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test coverage test-long mutations lint format lock messages bench pictures clean

help:  ## say what can be typed
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements/development.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP)  ## install into .venv what is locked

demo: setup  ## start the product with a pretended Telegram and Stripe, on this machine only
	$(BIN)/velvetrope demo

serve: setup  ## bring the database up to date and serve, with the settings of the environment
	$(BIN)/velvetrope migrate
	$(BIN)/velvetrope serve

# Where PYTHONDONTWRITEBYTECODE is set, each of a thousand processes would compile the product anew.
test coverage: export PYTHONDONTWRITEBYTECODE :=
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test: setup  ## run all tests
	$(PYTEST)

coverage: setup  ## run all tests, at leisure, and show which lines they reach
	$(BIN)/coverage erase
	$(PYTEST) --cov --cov-report=term:skip-covered

test-long: setup  ## prove the promise in EXAMPLES=2000 random stories; SEED=1, MINUTES=… bounds a part
	EXAMPLES=$(EXAMPLES) SEED=$(SEED) MINUTES=$(MINUTES) $(BIN)/python -m tests.proof.long_run

faults: setup  ## do harm to real processes: kill them, take the database away, break the vendors
	VELVETROPE_TESTS_FORK=no $(BIN)/python -m pytest -n 2 -m "long or not long" --dist loadgroup --timeout=300 tests/faults

mutations: setup  ## break each safety rule on purpose, and see that a test finds it
	$(BIN)/python -m tests.mutations.run

lint: setup  ## judge form, types, layers, migrations and messages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m django makemigrations --check --dry-run --settings velvetrope.store.typing_settings
	$(BIN)/python -m pytest -n 0 tests/usecases/wording/test_catalogues.py

format: setup  ## put the code into form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header

lock: setup  ## lock every dependency anew, by version and hash
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --extra dev --output-file requirements/development.txt
	$(LOCK) --group build --output-file requirements/build.txt
	$(LOCK) requirements/benchmarks.in --output-file requirements/benchmarks.txt

BENCH_STAMP := build/bench-venv/.installed

$(BENCH_STAMP): requirements/benchmarks.txt
	$(PYTHON) -m venv build/bench-venv
	build/bench-venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench: setup $(BENCH_STAMP)  ## measure against what people would use else: PARTS=… RUNS=5 GROWTH=1
	$(BIN)/python -m tests.benchmarks --runs $(RUNS) $(if $(PARTS),--parts $(PARTS)) \
		$(if $(GROWTH),--growth)

messages: setup  ## judge the three catalogues: keys, placeholders, plurals, markup
	$(BIN)/python -m pytest -n 0 tests/usecases/wording tests/usecases/test_texts.py

pictures: setup  ## take the pictures of the README from a running demo (needs chromium)
	$(BIN)/python docs/pictures/take.py

clean:  ## remove what was installed and measured, never data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov
