# reelmake: `make demo` and `make test` set everything up by themselves.

PYTHON ?= python3
PYTEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test test-long lint bench docs clean config lock

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 12

setup: $(READY)  ## a virtual environment with the pinned packages (once: about 7 minutes)

$(READY): requirements.lock requirements-cluster.lock pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py $(VENV)
	@touch $@

demo: $(READY)  ## the whole workflow on the bundled video, offline
	@cd demo && HF_HUB_OFFLINE=1 ../$(BIN)/snakemake --snakefile ../Snakefile --cores 2 --configfile config.yaml
	@$(BIN)/python demo/show.py
	@cd demo && ../$(BIN)/reel page

# Three processes on two cores, since tests of runs wait for each other's jobs; those of one file
# in one process, which makes their library once. In the order of tests/conftest.py: the longest,
# which wait most, come first.
test: lint  ## lint, types, and the tests: make test PYTEST_ARGS="-k name"
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder -m "not long" $(PYTEST_ARGS)

test-long: $(READY)  ## chaos at length: kills and signals at many random moments
	@$(BIN)/python -m pytest -n 3 -m long $(PYTEST_ARGS)

lint: $(READY)  ## ruff, snakefmt, snakemake --lint, mypy, the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile rules
	@$(BIN)/snakemake --lint
	@$(BIN)/mypy
	@$(BIN)/mypy scripts/*.py
	@$(BIN)/lint-imports --no-logo

bench: $(READY)  ## what it costs beside what one would use instead; prints tables
	@$(BIN)/python benchmarks/run.py

config: $(READY)  ## write config.yaml and the pages that follow from the code
	@$(BIN)/python tools/write_docs.py

docs: config  ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

lock: $(READY)  ## write the versions that are installed to requirements.lock and envs/
	@$(BIN)/python tools/write_lock.py

clean:  ## remove what the demo, the tests and the benchmarks made; keeps results/ and .venv
	rm -rf demo/results demo/cache demo/logs demo/.snakemake benchmarks/work
	find . -path ./.venv -prune -o -type d \( -name __pycache__ -o -name '.*_cache' -o -name .hypothesis \) \
		-prune -exec rm -rf {} +
