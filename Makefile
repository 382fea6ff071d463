# Everything starts here; `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# The first Python from 3.13 down to 3.11 that can make a virtual environment (Debian keeps that part in python3-venv).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' >/dev/null 2>&1 && { echo $$p; break; }; done)
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check
# Without it pip warns about a home folder that a system user does not have.
export PIP_ROOT_USER_ACTION := ignore

RUN := .venv/.installed-run
DEV := .venv/.installed-dev
ASSETS := grants/web/static/vendor/licences/versions.txt

.PHONY: help run test check soak bench
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(RUN) $(ASSETS) ## Start everything on this machine; the address is printed. PORT=8080 make run chooses another port
	@exec .venv/bin/grants run

test: $(DEV) $(ASSETS) ## Set up what is needed and run every test
	@# One more than two cores: a test that waits for a browser or for a program it started leaves its core to another.
	@.venv/bin/python -m pytest -n 3 --dist loadfile $(PYTEST)

soak: $(DEV) $(ASSETS) ## The long proofs: a thousand races by eight processes, a payment killed at every step, two thousand random walks. ROUNDS=50 WALKS=40 SECONDS=20 make soak is short
	@SOAK=1 ROUNDS=$(or $(ROUNDS),1000) WALKS=$(or $(WALKS),2000) SOAK_SECONDS=$(or $(SECONDS),120) .venv/bin/python -m pytest -s -p tests.soak.telling \
	  tests/core/test_faults.py tests/soak/proofs.py tests/jobs/soak.py tests/evaluation/test_matching.py tests/evaluation/test_groups.py \
	  tests/evaluation/test_reasons.py tests/evaluation/test_losses.py tests/evaluation/test_forged_runs.py \
	  tests/evaluation/test_detecting_cost.py tests/awards/test_portfolio.py tests/awards/test_drawing.py tests/awards/test_advice_model.py

bench: $(RUN) $(ASSETS) ## Measure everything at N/10 and N applications on throw-away servers: make bench N=1000 OUT=figures.json; LISTS=100000 measures the list of applications alone, MONEY=100000 payments and the ledger, GOALS=1 assignment and selection alone
	@.venv/bin/grants bench $(N) $(if $(OUT),--out $(OUT)) $(if $(LISTS),--lists $(LISTS)) $(if $(MONEY),--money $(MONEY)) $(if $(GOALS),--goals)

check: $(DEV) ## Format, lint, types, import contracts, templates
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@# Left out: where line breaks stand (H015), the page that refreshes itself without JavaScript (H052).
	@.venv/bin/djlint templates --lint --quiet --ignore=H015,H052

# A virtual environment that no longer starts (its Python was removed or replaced) is made again.
define VENV
@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with venv is needed. On Debian: apt-get install -y python3 python3-venv" >&2; exit 1; }
@.venv/bin/python -c '' 2>/dev/null || { rm -rf .venv && $(PYTHON) -m venv .venv; }
endef
INSTALL_SELF = $(PIP) install --no-index --no-build-isolation --no-deps --editable .

$(RUN): requirements.txt pyproject.toml
	$(VENV)
	@if test -f $(DEV) && test $(DEV) -nt requirements.txt && test $(DEV) -nt pyproject.toml; then :; else \
	  echo "Installing the Python packages (half a minute the first time) ..."; \
	  $(PIP) install --require-hashes -r requirements.txt && $(INSTALL_SELF); fi
	@touch $@

$(DEV): requirements-dev.txt pyproject.toml
	$(VENV)
	@echo "Installing the Python packages for tests ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt && $(INSTALL_SELF)
	@touch $@

# Needs some environment, whichever stands: the script uses the standard library only.
$(ASSETS): package-lock.json grants/web/assets.py requirements-node.txt | $(if $(wildcard $(DEV)),$(DEV),$(if $(filter test,$(MAKECMDGOALS)),$(DEV),$(RUN)))
	@echo "Installing the front-end files ..."
	@.venv/bin/python -m grants.web.assets
