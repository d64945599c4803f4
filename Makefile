# Two commands do everything on a machine with Python and make:
#   make run    create .venv, install gaussmix, choose a mixture for real data, save it and a page about it
#   make test   create .venv, install the test extras, run the tests

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# -qq: errors only
PIP    := -m pip --disable-pip-version-check -qq

DATA   := src/gaussmix/datasets/faithful.csv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-core test-oldest test-foreign test-machines check format docs bench clean

help:
	@echo "make run        install into $(VENV), choose a mixture for $(DATA), save it and a page about it"
	@echo "make test       run the tests and the examples in the docstrings"
	@echo "make test-core  the same in an environment of its own without numba and any extra"
	@echo "make test-oldest    the same with the oldest supported version of every dependency"
	@echo "make test-foreign   beside PyTorch, PyMC, NumPyro, Stan, gmr, cgmm and POT, in an environment of its own (2 GB)"
	@echo "make test-machines  what rounding can reach, as other processors would run it (test-on-haswell: as one)"
	@echo "make check      format, lint, types and layers"
	@echo "make format     put the code into the shape that make check wants"
	@echo "make docs       build the documentation site into build/docs"
	@echo "make bench      time gaussmix against scikit-learn (ARGS=--quick for a short run)"
	@echo "make clean      remove environments, builds and caches"

run: $(VENV)/.installed-all
	@mkdir -p build
	cd build && $(abspath $(BIN))/gaussmix fit $(abspath $(DATA))
	@echo "Open build/faithful.html in a browser."

# What depends on neither versions nor machines nor packages: the text of the source and of docs, and how good optima are.
ONCE := --deselect tests/project/test_budgets.py --deselect tests/project/test_docs.py --deselect tests/project/test_imports.py \
	--deselect tests/laws/test_never_worse.py --deselect tests/reference/test_best_known.py

# What packages that are absent say nothing of: files that are cut off or damaged, kills, and scikit-learn's own checks.
NOT_CORE := --deselect tests/files/test_checkpoint.py --deselect tests/files/test_damage.py --deselect tests/files/test_fuzz.py \
	--deselect tests/data/test_text_damage.py --deselect tests/estimators/test_check_estimator.py

# What old versions say nothing of: kills, and fits of odd rows, of which there are a thousand.
NOT_OLDEST := --deselect tests/files/test_checkpoint.py --deselect tests/laws/test_stress.py

# Two processes: many tests wait for processes of their own. ARGS="-n 0 --pdb" for one.
test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 $(ARGS)

# AS=haswell runs tests as that machine, where this processor can be it.
RUN = $(if $(AS),-m tests.machines $(AS) --anyway pytest,-m pytest) -n 2

# Optional means absent in one run of the tests. numba, too: it may not know the newest Python yet. Of examples nothing is
# asked here but what their rounding, and the functions in them, are asked elsewhere.
test-core: $(VENV)-core/.installed
	$(VENV)-core/bin/python $(RUN) -o testpaths=tests $(ONCE) $(NOT_CORE) $(ARGS)

# As tests/oldest.py reads them from pyproject.toml. On the oldest Python, too: newer ones have no such old packages.
# Two versions of numba that keep their kernels in one folder would write over each other's.
test-oldest: $(VENV)-oldest/.installed
	NUMBA_CACHE_DIR=$(abspath $(VENV)-oldest)/numba $(VENV)-oldest/bin/python $(RUN) $(ONCE) $(NOT_OLDEST) $(ARGS)

# Other people's samplers, on one thread each: what they sample is small.
test-foreign: $(VENV)-foreign/.installed
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(VENV)-foreign/bin/python -m pytest -n 2 --dist loadfile $(FOREIGN) $(ARGS)

FOREIGN := tests/foreign src/gaussmix/foreign src/gaussmix/model/mixture/as_prior.py docs/mixture-priors.md \
	tests/operations/test_other_programs.py tests/comparison/test_transport.py

# tests/machines.py says what each is; one that this processor cannot be is skipped, and the last line says so.
MACHINES := nehalem haswell skylakex
# What rounding can reach: all but files, tables, pictures and the command.
NUMERIC := tests/laws tests/model tests/engines tests/estimators tests/reference tests/infer src docs README.md \
	--deselect tests/estimators/test_check_estimator.py --deselect tests/engines/test_memory.py

test-machines: $(MACHINES:%=test-on-%)

test-on-%: $(VENV)/.installed-test
	$(BIN)/python -m tests.machines $* pytest -n 2 $(NUMERIC) $(ARGS)

check: $(VENV)/.installed-check
	$(BIN)/ruff format --check --quiet . || { echo "run 'make format' to put this right"; exit 1; }
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.installed-check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .

# From nothing each time: entries of names that are gone would stay. A warning ends the build, a broken link among them.
docs: $(VENV)/.installed-docs
	@rm -rf build/docs docs/reference/generated
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs $(ARGS)
	@echo "The site is in build/docs/index.html."

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-core $(VENV)-oldest $(VENV)-foreign build dist docs/reference/generated .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of extras, so that a second run installs nothing. A changed pyproject.toml (a new
# dependency) or another interpreter makes them stale.
define new-environment
@command -v $(PYTHON) >/dev/null || { echo "gaussmix: no '$(PYTHON)' here; say make PYTHON=/path/to/python" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "gaussmix needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1);" \
	     "say make PYTHON=/path/to/a/newer/python" >&2; exit 1; }
@echo "creating $(@D) with $$($(PYTHON) --version)"
@$(PYTHON) -m venv $(@D) || { \
	echo "gaussmix: '$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
endef

$(VENV)/.created:
	$(new-environment)
	@touch $@

$(VENV)/.installed-%: pyproject.toml $(VENV)/.created
	@echo "installing gaussmix[$*] into $(VENV)"
	@$(BIN)/python $(PIP) install --editable '.[$*]'
	@touch $@

$(VENV)-core/.created:
	$(new-environment)
	@touch $@

$(VENV)-core/.installed: pyproject.toml $(VENV)-core/.created
	@echo "installing gaussmix without numba and extras into $(VENV)-core"
	@$(VENV)-core/bin/python $(PIP) install --editable . pytest pytest-xdist hypothesis
	@$(VENV)-core/bin/python -m pip -qq uninstall --yes numba llvmlite
	@touch $@

$(VENV)-oldest/.created:
	$(new-environment)
	@touch $@

$(VENV)-oldest/.installed: pyproject.toml tests/oldest.py $(VENV)-oldest/.created
	@echo "installing gaussmix with the oldest supported versions into $(VENV)-oldest"
	@$(VENV)-oldest/bin/python tests/oldest.py > $(@D)/oldest.txt
	@$(VENV)-oldest/bin/python $(PIP) install --editable '.[downstream]' --constraint $(@D)/oldest.txt
	@touch $@

$(VENV)-foreign/.created:
	$(new-environment)
	@touch $@

$(VENV)-foreign/.installed: pyproject.toml $(VENV)-foreign/.created
	@echo "installing gaussmix[foreign] into $(VENV)-foreign"
	@$(VENV)-foreign/bin/python $(PIP) install --editable '.[foreign]'
	@touch $@
