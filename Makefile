# Everything a newcomer needs. Only python3 (3.11 or newer, with venv) and make must be there.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-long coverage check lock clean

# Build the example project, look at what it made, and score a file.
demo: $(VENV)/installed
	$(RUN) sqlml build
	@echo
	$(RUN) sqlml model list
	@echo
	$(RUN) sqlml show late_arrival_scores --limit 8
	@echo
	$(RUN) sqlml predict late_arrival --input last_week_flights --output target/demo/predictions.csv --overwrite
	@head -4 target/demo/predictions.csv

PYTEST := $(RUN) pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Lint, types and the tests.
test: check
	$(PYTEST)

# Those too that hold what was recorded once, and seldom changes, against Spark again.
test-long: check
	$(PYTEST) --long

# Which lines no test reaches. To count them makes Python code take twice as long, so that it is not a part of `test`.
coverage: $(VENV)/installed-dev
	$(PYTEST) --cov=sqlml --cov-report=term-missing:skip-covered

check: $(VENV)/installed-dev
	$(RUN) ruff check sqlml tests benchmarks
	$(RUN) ruff format --check sqlml tests benchmarks
	$(RUN) mypy

# constraints.txt holds the versions that the tests passed with.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --editable '.[dev]'
	touch $@

# Take the newest versions that pyproject.toml allows.
lock:
	rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(RUN) pip freeze --exclude-editable > constraints.txt
	touch $(VENV)/installed $(VENV)/installed-dev

clean:
	rm -rf $(VENV) target
