# Two commands: `make app` and `make test`. Everything else is a part of them.
PYTHON ?= python3
BIN := .venv/bin
export LAZYLAB_PORT ?= 8501

.PHONY: app test setup check lint types atlas docs screenshots stub bench mutants peers clean

app: setup
	@exec $(BIN)/streamlit run app.py --server.port $(LAZYLAB_PORT)

test: setup
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/pyright --pythonpath $(BIN)/python --level error
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

# What takes minutes: the slow tests and every claim at full size.
check: setup
	@$(BIN)/python -m pytest -m slow
	@$(BIN)/python -m lazycore check

# What ships, computed again: many minutes. Stopped and called again, it goes on.
atlas: setup
	@$(BIN)/python -m lazycore.papers.shelf

# The site, into build/docs: a warning is an error, and no network is needed.
docs: setup
	@$(BIN)/python -m sphinx -W --keep-going -q -j 2 docs build/docs
	@echo "build/docs/index.html"

# Every picture that README and docs show, of a real server in Chromium.
screenshots: setup
	@$(BIN)/python docs/take_screenshots.py

# What editors know of the fields of a run (lazycore/config/run.pyi), from the fields themselves.
stub: setup
	@$(BIN)/python -m lazycore.config.stub

bench: setup
	@for file in benchmarks/[a-z]*.py; do \
	  name=$$(basename $$file .py); echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; \
	done

# Formulas broken on purpose: does a test notice? Minutes, on two cores.
mutants: setup
	@cd tests && ../$(BIN)/python -m mutants

# What the benchmarks compare with, in an environment of its own.
peers: .venv-peers/installed

.venv-peers/installed: benchmarks/requirements-peers.txt
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check \
	  -r benchmarks/requirements-peers.txt
	@touch $@

# A no-op when up to date: the stamp is newer than what it was made from. The project is
# installed too, as a link to this folder, with the build tool that requirements-dev.txt pins.
setup: .venv/installed

.venv/installed: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Lazy Lab needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -r requirements.txt -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf .venv .venv-peers .pytest_cache .ruff_cache .hypothesis
