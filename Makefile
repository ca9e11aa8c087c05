# `make demo` and `make test` install everything they need. ARGS="..." passes options.
PYTHON = .venv/bin/python

# Without bytecode files, each of the many test processes would compile every module.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test check bench soak calibrate lock

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml tools/install.sh
	@tools/install.sh

demo: install
	@.venv/bin/autolynx demo $(ARGS)

test: .venv/compiled
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

# Compile the libraries once, before all test workers would do it at the same time. The
# provider's SDK is left out: it is large, and only one worker loads it.
.venv/compiled: .venv/installed
	@$(PYTHON) -m compileall -q -j 0 -x '/vapi/' .venv/lib || : # An optimisation only: errors do not matter.
	@touch $@

check: install
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/lint-imports
	@.venv/bin/mypy
	@$(PYTHON) tools/check_dashboard.py

bench: install
	@$(PYTHON) -m bench $(ARGS)

soak: install
	@nice $(PYTHON) -m pytest -n auto --dist loadfile -m hypothesis --hypothesis-profile=exploring
	@nice $(PYTHON) -m tests.faults.soak --report docs/soak.md $(ARGS)

calibrate: install
	@nice $(PYTHON) -m tests.calibration

lock:
	@PATH="$(CURDIR)/.uv/bin:$$PATH" uv export --quiet --format requirements-txt \
	    --no-emit-project --all-groups --no-annotate --no-header -o requirements.lock
	@PATH="$(CURDIR)/.uv/bin:$$PATH" uv export --quiet --format requirements-txt \
	    --no-emit-project --no-dev --no-annotate --no-header -o requirements.runtime.lock
