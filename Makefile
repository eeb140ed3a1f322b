# Needs python3 (3.11 or newer), make and git; everything else goes into .venv.
# Another Python: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint types clean

demo: $(VENV)/installed
	@mkdir -p demo
	$(BIN)/shipdet detect data_samples/harbour.tif -o demo/harbour.gpkg --picture demo/harbour.png
	@echo "wrote demo/harbour.gpkg and demo/harbour.png"

test: lint types
	$(BIN)/pytest -q

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/installed-dev
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Empty files in .venv say what has been done, so that nothing is set up twice.

$(VENV)/made:
	@command -v $(PYTHON) >/dev/null || { echo "shipdet needs Python 3.11 or newer, but there is no $(PYTHON); install it, or: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "shipdet needs Python 3.11 or newer, but $(PYTHON) is `$(PYTHON) -V 2>&1`; name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) lacks its venv module; install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Both at once, so that pip picks a pair that fits.
$(VENV)/torch: $(VENV)/made
	$(PIP) install torch torchvision
	@touch $@

$(VENV)/installed: pyproject.toml $(VENV)/torch
	$(PIP) install -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install -e '.[dev]'
	@touch $@
