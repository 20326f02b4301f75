# SecondRead: `make run` shows it, `make test` proves it, `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

BIN := .venv/bin

# Empty: the bundled sample study. Read from the environment in the recipe, so that any path,
# however it is spelt, reaches the program as one argument.
STUDY ?=
export STUDY

# Python to make .venv with; empty: the machine's own if it is new enough.
PYTHON ?=
export PYTHON

# What pytest is given: make test ARGS="tests/unit -k geometry"
ARGS ?=

# The tests' tensors are small: more threads would mostly wait for each other, and badly so where
# the processors are busy with something else.
TEST_THREADS ?= 1

# Tests at the same time; each worker has a screen of its own. A file stays with one worker, and the
# long ones, which drive the real program, come first.
TEST_WORKERS ?= logical
IN_PARALLEL := -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

# Linux has a screen in memory; a desktop's own Wayland session must not be taken instead of it.
ifeq ($(shell uname -s),Linux)
ON_X11 = env -u WAYLAND_DISPLAY QT_QPA_PLATFORM=xcb
ON_A_SCREEN = $(ON_X11) xvfb-run -a -s "-screen 0 1920x1200x24"
endif

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what is missing: system libraries, .venv, Python packages
	@packaging/system-packages test
	@packaging/python-environment

.PHONY: setup-run
setup-run:
	@packaging/system-packages run
	@packaging/python-environment

.PHONY: run
run: setup-run ## Open the viewer on the sample study, analysed (or: make run STUDY=path)
	@if [ -n "$$STUDY" ]; then \
		exec $(BIN)/secondread open "$$STUDY" --analyse; \
	else \
		exec $(BIN)/secondread open --sample; \
	fi

.PHONY: sample
sample: setup-run ## Make the synthetic sample study and say where it is
	@$(BIN)/secondread sample

.PHONY: lint
lint: setup ## Check style, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: setup ## Rewrite the code in house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: test
test: setup ## Run every test; the window is tested on a screen in memory
	OMP_NUM_THREADS=$(TEST_THREADS) $(ON_X11) $(BIN)/pytest $(IN_PARALLEL) $(ARGS)

.PHONY: coverage
coverage: setup ## Run every test and say which lines none of them reaches
	OMP_NUM_THREADS=$(TEST_THREADS) $(ON_X11) \
		$(BIN)/pytest $(IN_PARALLEL) --cov --cov-report=term:skip-covered $(ARGS)

.PHONY: screenshots
screenshots: setup ## Make the pictures of docs/guide, from the sample study
	OMP_NUM_THREADS=$(TEST_THREADS) $(ON_A_SCREEN) $(BIN)/python docs/guide/make_pictures.py $(ARGS)

.PHONY: lock
lock: setup ## Write packaging/constraints.txt anew from what .venv holds
	@packaging/lock

.PHONY: dist
dist: setup ## Build the wheel and the source archive into dist/
	$(BIN)/hatchling build

.PHONY: clean
clean: ## Remove what running, testing and building leave behind
	rm -rf out build dist htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## The same, and .venv
	rm -rf .venv
