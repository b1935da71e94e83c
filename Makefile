# Everything a newcomer needs. Only python3 (3.11 or newer, with venv) and make must be there.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m

.PHONY: demo test check coverage bench lock clean

# Build the example project and predict with it.
demo: $(VENV)/installed
	$(RUN) sqlml build
	$(RUN) sqlml model list
	$(RUN) sqlml show late_arrival_scores --limit 8
	$(RUN) sqlml predict late_arrival --input last_week_flights --output target/demo/predictions.csv --overwrite

# Lint, types and every test.
test: check
	$(RUN) pytest --cov=sqlml --cov-report=term:skip-covered

check: $(VENV)/installed-dev
	$(RUN) ruff check sqlml tests benchmarks
	$(RUN) ruff format --check sqlml tests benchmarks
	$(RUN) mypy

# The versions in constraints.txt are those that the tests passed with.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

# Take the newest versions that pyproject.toml allows.
lock:
	$(PYTHON) tools/lock.py > constraints.txt

clean:
	rm -rf $(VENV) target
