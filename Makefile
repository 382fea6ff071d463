# Everything starts here; `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' 2>/dev/null && { echo $$p; break; }; done)
DEV_STAMP := .venv/.installed-dev

.PHONY: help test check
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(DEV_STAMP): requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with venv is needed. On Debian: apt-get install python3 python3-venv"; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

test: $(DEV_STAMP) ## Set up what is needed and run every test
	@.venv/bin/python -m pytest

check: $(DEV_STAMP) ## Format and lint
	@.venv/bin/ruff format --check grants tests
	@.venv/bin/ruff check grants tests
