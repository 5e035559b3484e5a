PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test slow lint reference explorer viz graph docs site audit bench clean

help:  ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Terrarium needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $(READY)

run: $(READY)  ## Embed Mammalia: the hyperbolic pipeline on its defaults
	$(BIN)/kedro run --pipelines=hyperbolic

test: $(READY)  ## Run the tests except those at full size; two processes of one thread, so that none waits for another
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

slow: $(READY)  ## Run the tests at full size
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m slow

lint: $(READY)  ## Style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

reference: $(READY)  ## Write what is generated: parameter files, docs/reference, diagrams, tables, claims
	$(BIN)/python -m scripts.parameter_reference
	$(BIN)/python -m scripts.archetype_page
	$(BIN)/python -m scripts.catalog_reference
	$(BIN)/python -m scripts.pipeline_diagrams
	$(BIN)/python -m benchmarks.page

explorer:  ## Bundle the program of the explorer (needs Node and npm)
	cd explorer && npm ci --ignore-scripts && npm run build

viz: $(READY)  ## Open the pipeline in kedro-viz
	$(BIN)/kedro viz run

graph: $(READY)  ## Build the static kedro-viz site into build/
	$(BIN)/kedro viz build --include-previews

docs: $(READY)  ## Serve the documentation site at http://127.0.0.1:8000
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

site: $(READY)  ## Build the documentation site into build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

audit: $(READY)  ## List known vulnerabilities and licences of the dependencies; needs the network
	$(BIN)/python -m pip install --quiet --target $(VENV)/audit pip-audit pip-licenses
	PYTHONPATH=$(VENV)/audit $(BIN)/python -m pip_audit --path "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true
	PYTHONPATH=$(VENV)/audit $(BIN)/python -m piplicenses --order=license --format=markdown

bench: $(READY)  ## Run the benchmarks (long); results go to benchmarks/results
	$(BIN)/python -m benchmarks

clean:  ## Remove the environment and caches; data/ stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
