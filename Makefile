# WatchNext. `make demo` and `make test` need Python 3.11 or newer and make; everything else they bring themselves.
PYTHON ?= python3
# More options for pip, for instance an index with the CPU build of torch: make demo PIP_OPTIONS="--index-url URL"
PIP_OPTIONS ?=
VENV := .venv
BIN := $(VENV)/bin
SOURCES := model training service

.PHONY: help demo test soak lint format bench image-test clean
help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# torch first and pinned: what follows then finds it installed and brings no other build.
$(VENV)/installed: pyproject.toml constraints.txt model/contract/kernels.c
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"WatchNext needs Python 3.11 or newer, found {sys.version.split()[0]}: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) $$(grep '^torch==' constraints.txt)
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/installed  ## simulate logs, train, publish, serve, rank
	$(BIN)/watchnext demo

test: $(VENV)/installed  ## the whole fast test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

soak: $(VENV)/installed  ## the long tests: a million requests, swaps under load, overload
	$(BIN)/python -m pytest -m soak -s

lint: $(VENV)/installed  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed  ## rewrite the sources in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed  ## the benchmarks of docs/results.md
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.position_bias
	$(BIN)/python -m benchmarks.balancing_costs configs/kuairand.yaml
	$(BIN)/python -m benchmarks.task_correlation
	$(BIN)/python -m benchmarks.preparation
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.serving --million
	$(BIN)/python -m benchmarks.serving.guarded
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.scaling

image-test: $(VENV)/installed  ## build the container image, run it, rank with it
	$(BIN)/python -m pytest tests/image --image -s

clean:  ## remove the environment and what runs left behind
	rm -rf $(VENV) build model/contract/_kernels.*.so *.egg-info runs registry demo
