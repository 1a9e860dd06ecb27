# hukou-opt: `make run` and `make test` need a plain Python 3.11, 3.12 or 3.13 and nothing else.
# Another interpreter: make run PYTHON=python3.12. Another experiment: make run EXPERIMENT=no_reform.

PYTHON ?= python3
VENV ?= .venv
EXPERIMENT ?= plan_as_written
OUT ?= results/$(EXPERIMENT)
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: run test lint lock clean

run: $(STAMP)
	$(BIN)/hukou-opt run $(EXPERIMENT) --out $(OUT)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: lint
	$(BIN)/python -m pytest

# The stamp is newer than the lock and the project file: a second call has nothing to do.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "No '$(PYTHON)' found. Install Python 3.11, 3.12 or 3.13, or name one: make run PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "'$(PYTHON)' is $$($(PYTHON) --version 2>&1). Python 3.11, 3.12 or 3.13 is needed: make run PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# For maintainers: resolve the dependencies anew, for all supported Pythons and systems at once.
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv
	build/lock/bin/uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-header --quiet \
		--upgrade --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
