# Two commands do everything, set-up included: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A folder that holds the data. Without it they are downloaded into the user's cache. The
# features of Office-Caltech, the MNIST and USPS vectors and MNIST-M's test images have no
# stable download URL: `vectors`, `regret`, `trust`, `regression`, `early-stopping`, `mnist-m*` need the folder.
DATA ?=
FROM := $(if $(DATA),--data '$(DATA)')
OUT ?= demo-output
JOBS ?= 2
NEWEST_PYTHON ?= python3.13
# A requirement, such as torch==2.13.0, where the newest torch is not to be had.
NEWEST_TORCH ?= torch

# What tools keep for the next time lies with the environment: the source may be read-only.
CACHE := $(VENV)/cache
export RUFF_CACHE_DIR := $(CACHE)/ruff
export COVERAGE_FILE := $(CACHE)/coverage
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis
export PYTHONUTF8 := 1
# Tests of one file end together at times; a process that is done takes others' then.
PYTEST := pytest -o cache_dir='$(CACHE)/pytest' -n $(JOBS) --dist worksteal

.PHONY: help demo demo-tumors demo-moons demo-digits demo-amazon demo-heart test lint coverage \
	test-oldest test-newest test-recipes dist test-dist audit docs docs-check bench regret trust \
	regression reproduce soak clean

help:
	@echo "make demo         the command, on messy files of two laboratories' tumors"
	@echo "make demo-tumors  these tumors, from Python, drawn"
	@echo "make demo-moons   the papers' two moons, drawn"
	@echo "make demo-digits  adapt from digits to digits on photographs"
	@echo "make demo-amazon  adapt from book to kitchen reviews     (DATA=folder)"
	@echo "make demo-heart   adapt from one hospital to another     (DATA=folder)"
	@echo "make test         lint, all tests, doctests"
	@echo "make coverage     the tests again, counting the lines that they reach"
	@echo "make docs         the documentation, in docs/_build/html"
	@echo "make docs-check   the documentation in a browser (needs chromium)"
	@echo "make test-oldest  the tests on the lowest supported versions (downloads 3 GB)"
	@echo "make test-newest  the tests on the newest releases of all (NEWEST_PYTHON=python3.13)"
	@echo "make test-recipes the recipes of the guide: other packages, launchers, Ray"
	@echo "make dist         what is released, in dist: source and wheel, the same at each build"
	@echo "make test-dist    the tests on the wheel, in an environment of its own"
	@echo "make audit        what is known against the pinned versions (asks PyPI)"
	@echo "make bench        all benchmarks, beside other libraries in their own environments"
	@echo "make trust        the defaults beside simple baselines on 69 pairs (DATA=folder)"
	@echo "make regret       what each score without target labels chooses (DATA=folder)"
	@echo "make regression   numbers instead of classes, beside ridge, PLS, forests (DATA=folder)"
	@echo "make reproduce    the papers' experiments, all; reproduce-NAME for one (DATA=folder)"
	@echo "make images-NAME  ... on svhn, signs or office, into print (DATA=folder)"
	@echo "make soak         kills, interrupts, hostile files, odd calls, threads: 50 minutes"
	@echo "make clean        remove what the above have made"

EXAMPLE := $(BIN)/python docs/run_example.py docs/examples/plot
TWO_LABS := $(BIN)/python docs/two_laboratories.py
demo: $(VENV)/ready
	$(TWO_LABS) write '$(OUT)'
	$(BIN)/skdann adapt '$(OUT)/lab_a.csv' '$(OUT)/lab_b.csv' --label diagnosis \
	    --output '$(OUT)/lab_b-adapted' --force || test $$? = 3  # 3: label first
	$(TWO_LABS) check '$(OUT)'

demo-tumors: $(VENV)/ready
	$(EXAMPLE)_tumors_measured_differently.py --output '$(OUT)'

demo-moons: $(VENV)/ready
	$(EXAMPLE)_shifted_moons.py --output '$(OUT)'

demo-digits: $(VENV)/ready
	OMP_NUM_THREADS=1 $(EXAMPLE)_digits_on_photographs.py --output '$(OUT)'

demo-amazon: $(VENV)/ready
	$(BIN)/python benchmarks/reproduce/amazon_reviews.py $(FROM)

demo-heart: $(VENV)/ready
	$(BIN)/python benchmarks/reproduce/heart_hospitals.py $(FROM)

test: lint
	$(BIN)/python -m $(PYTEST)

# Counting takes a third more.
coverage: $(VENV)/ready
	mkdir -p $(CACHE)
	COVERAGE_RCFILE='$(CURDIR)/pyproject.toml' \
	    $(BIN)/python -m $(PYTEST) --cov --cov-report=term-missing --cov-fail-under=95

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --cache-dir $(CACHE)/mypy
	$(BIN)/lint-imports --cache-dir $(CACHE)/import_linter

# The pinned environment; remade when the pins change.
$(VENV)/ready: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[examples,tests]'
	touch $@

# The site, built without the network; examples that did not change are not run again.
# One thread: two that wait for one another beside a busy program take ten times as long.
docs: $(VENV)/ready-docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# Every page on a laptop and a telephone, light and dark; pictures in docs/_build/pictures.
docs-check: docs
	$(BIN)/python docs/check_pages.py

$(VENV)/ready-docs: $(VENV)/ready constraints.txt pyproject.toml
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

test-oldest: .venv-oldest/ready
	.venv-oldest/bin/python -m $(PYTEST)

.venv-oldest/ready: constraints-oldest.txt pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --constraint constraints-oldest.txt --editable '.[examples,tests]'
	touch $@

test-newest: .venv-newest/ready
	.venv-newest/bin/python -m $(PYTEST)

# The newest at the time it is made; to be removed for newer ones.
.venv-newest/ready: pyproject.toml
	$(NEWEST_PYTHON) -m venv .venv-newest
	.venv-newest/bin/pip install --quiet '$(NEWEST_TORCH)'
	.venv-newest/bin/pip install --quiet --editable '.[examples,tests]'
	touch $@

# moabb asks for older versions than constraints.txt has, and for much that tests need not.
test-recipes: .venv-recipes/ready
	.venv-recipes/bin/python -m pytest -o cache_dir=.venv-recipes/cache tests/recipes \
	    tests/model_selection/test_clusters.py

.venv-recipes/ready: tests/recipes/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-recipes
	.venv-recipes/bin/pip install --quiet --requirement tests/recipes/requirements.txt
	touch $@

# All times in both files are the last commit's: the same commit gives the same bytes.
dist test-dist: export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct \
	2>/dev/null),$(shell date -r pyproject.toml +%s))
BUILD := .venv-build/bin/python -m build --no-isolation
dist: .venv-build/ready
	@test -z "$$(git status --porcelain)" || echo "Not for release: the tree has changes."
	rm -rf dist
	$(BUILD) --outdir dist .
	sha256sum dist/*

.venv-build/ready: constraints.txt
	$(PYTHON) -m venv .venv-build
	.venv-build/bin/pip install --quiet --constraint constraints.txt build hatchling
	touch $@

# From the unpacked source, which must build the same files again; then its package is
# removed, so that what is tested can only be the wheel.
UNPACKED := .venv-dist/unpacked
test-dist: dist
	$(PYTHON) -m venv --clear .venv-dist
	.venv-dist/bin/pip install --quiet --constraint constraints.txt torch
	.venv-dist/bin/pip install --quiet --constraint constraints.txt \
	    "$$(echo dist/*.whl)[examples,tests]"
	mkdir $(UNPACKED)
	tar -xzf dist/*.tar.gz -C $(UNPACKED) --strip-components 1
	$(BUILD) --outdir .venv-dist/again $(UNPACKED)
	diff -r dist .venv-dist/again
	rm -r $(UNPACKED)/skdann
	cd $(UNPACKED) && ../bin/python -c "import skdann, sysconfig; print(skdann.__file__); \
	    assert skdann.__file__.startswith(sysconfig.get_path('purelib'))"
	cd $(UNPACKED) && ../bin/python -m $(PYTEST) -c pyproject.toml \
	    tests README.md docs/index.md docs/guide --pyargs skdann

# Without --strict a pin that can't be looked up is passed over, and the audit succeeds.
audit: .venv-audit/ready
	.venv-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

.venv-audit/ready:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet pip-audit==2.10.1
	touch $@

BENCHMARKS := step fit predict threads memory import ranks

bench: $(VENV)/ready .venv-bench/ready
	for question in $(BENCHMARKS); do $(BIN)/python benchmarks/bench_$$question.py; done
	$(BIN)/python benchmarks/bench_search.py $(FROM)

trust: $(VENV)/ready
	$(BIN)/python benchmarks/trust/run.py $(FROM) --jobs $(JOBS)
	$(BIN)/python benchmarks/trust/label_shift.py $(FROM)
	$(BIN)/python benchmarks/trust/tables.py $(FROM)
	$(BIN)/python benchmarks/trust/variants.py $(FROM)
	$(BIN)/python benchmarks/trust/reports.py $(FROM) --jobs $(JOBS)
	$(BIN)/python benchmarks/trust/report_tables.py $(FROM)
	$(BIN)/python benchmarks/trust/combining.py $(FROM)
	$(BIN)/python benchmarks/trust/tried.py $(FROM)
	$(REPRODUCE)/record.py

regret: $(VENV)/ready
	$(BIN)/python benchmarks/regret.py run choose $(FROM)
	$(BIN)/python benchmarks/regret.py run report $(FROM)
	$(BIN)/python benchmarks/regret.py tables choose
	$(BIN)/python benchmarks/regret.py tables report

REGRESSION := $(BIN)/python benchmarks/regression
regression: $(VENV)/ready
	$(REGRESSION)/run.py made made-other populations --seeds 1
	$(REGRESSION)/run.py corn twin-gas twin-gas-all $(FROM)
	$(REGRESSION)/tables.py
	$(REGRESSION)/reports.py made corn twin-gas-all $(FROM)
	$(REGRESSION)/report_tables.py
	$(REGRESSION)/predictions.py made populations corn twin-gas twin-gas-all $(FROM)
	$(REGRESSION)/combining.py
	$(REPRODUCE)/record.py

# Each writes docs/results/NAME.json and the page anew. `amazon` and `vectors` do not run
# again the pairs that are stored there: remove the file to start afresh.
EXPERIMENTS := moons amazon-raw amazon-tfidf amazon-msda critic-raw critic-msda vectors \
	few-labels mnist-m mnist-m-gray mnist-m-ink early-stopping several-sources \
	prediction-sets streaming
reproduce: $(EXPERIMENTS:%=reproduce-%)
	$(REPRODUCE)/figures.py --output '$(OUT)'

REPRODUCE := $(BIN)/python benchmarks/reproduce
reproduce-moons: $(VENV)/ready
	$(REPRODUCE)/moons.py
	$(REPRODUCE)/record.py

reproduce-amazon-%: $(VENV)/ready
	$(REPRODUCE)/amazon.py $* $(FROM)
	$(REPRODUCE)/record.py

reproduce-vectors: $(VENV)/ready .venv-bench/ready
	$(REPRODUCE)/vectors.py $(FROM)
	$(REPRODUCE)/record.py

reproduce-critic-%: $(VENV)/ready
	$(REPRODUCE)/critic.py $* $(FROM)
	$(REPRODUCE)/record.py

reproduce-several-sources: $(VENV)/ready
	$(REPRODUCE)/several_sources.py $(FROM)
	$(REPRODUCE)/record.py

reproduce-few-labels: $(VENV)/ready
	$(REPRODUCE)/few_labels.py $(FROM)
	$(REPRODUCE)/record.py

reproduce-mnist-m: $(VENV)/ready
	$(REPRODUCE)/mnist_m.py --seeds 3 $(ARGS) $(FROM)
	$(REPRODUCE)/record.py

reproduce-mnist-m-gray: $(VENV)/ready
	$(REPRODUCE)/mnist_m.py --gray --seeds 3 $(ARGS) $(FROM)
	$(REPRODUCE)/record.py

reproduce-mnist-m-ink: $(VENV)/ready
	$(REPRODUCE)/mnist_m_ink.py $(FROM)
	$(REPRODUCE)/record.py

reproduce-prediction-sets: $(VENV)/ready
	$(BIN)/python benchmarks/prediction_sets.py $(FROM)
	$(REPRODUCE)/record.py

reproduce-streaming: $(VENV)/ready
	$(BIN)/python benchmarks/streaming.py $(FROM)
	$(REPRODUCE)/record.py

# Of data that skdann.datasets does not load: DATA is the folder of the archives, see the
# script; `make images-office ARGS="--source dslr --target webcam"`, needs torchvision.
images-%: $(VENV)/ready
	$(REPRODUCE)/images.py $* $(DATA) $(ARGS)

reproduce-early-stopping: $(VENV)/ready
	$(REPRODUCE)/early_stopping.py $(FROM)
	$(REPRODUCE)/record.py

# Long campaigns against it; ARGS="--scale .1" for a tenth of the half hour.
soak: $(VENV)/ready
	$(BIN)/python benchmarks/soak/soak.py $(ARGS)
	$(REPRODUCE)/record.py

# The others, each in an environment of its own; one that fails to install is named.
.venv-bench/ready: constraints.txt
	for name in skada adapt pytorch-adapt; do \
	    $(PYTHON) -m venv .venv-bench/$$name && \
	    .venv-bench/$$name/bin/pip install --quiet --requirement benchmarks/$$name.txt \
	    || echo "$$name: not installed"; \
	done
	touch $@

clean:
	rm -rf .venv .venv-oldest .venv-newest .venv-bench .venv-build .venv-dist .venv-audit
	rm -rf .venv-recipes dist
	rm -rf demo-output .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf docs/_build docs/auto_examples docs/api/generated docs/api/backreferences
