# Two commands: `make run` starts the contact centre, `make test` tests it. `make help` names the rest.
# Every path here is relative, because make cannot hold a name with a space and the project's folder may have one.

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
PY := .venv/bin/python
# Embedded PostgreSQL and Valkey for the time of one command, with ports and data of their own.
WITH := $(PY) -m contactcentre.supervisor with
PYTEST := $(WITH) -- $(PY) -m pytest --durations=10
# Three at a time also on two cores: tests of a whole product wait for its processes more than they compute, and another
# test computes meanwhile. Whole folders and files that share what they start stay with one worker (tests/conftest.py),
# in the order given there.
AT_ONCE := -n 3 --dist loadscope --no-loadscope-reorder
# The folders with such tests, so that not every worker reads all others as well. tests/conftest.py refuses the mark
# anywhere else.
FAULTS := -m fault tests/faults
BROWSER := -m browser tests/browser tests/practice
FAULTS_AND_BROWSER := -m "fault or browser" tests/faults tests/browser tests/practice
FIND_CHROMIUM := chromium="$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}"
# pytest ends with 5 when no test carries the marker.
NONE_IS_FINE := || { code=$$?; [ $$code -eq 5 ] && echo "**** No test carries this marker. ****"; }
ROUNDS := 1 2 3 4 5 6 7 8 9 10

# Where a shell forbids Python to keep what it compiled, each of some thirty processes compiles everything anew: the
# tests alone cost every worker nine seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test checks unit faults browser whole again bench screenshots reset install chromium

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: install ## start everything on this machine and say where to look (Ctrl-C stops it)
	@exec $(PY) -m contactcentre.supervisor run

test: install chromium checks unit whole ## check and test everything, also while `make run` is up
	@echo "All of it passed."

again: install chromium ## run the fault and browser tests ten times
	@$(FIND_CHROMIUM); \
	if [ -z "$$chromium" ]; then echo "make again needs Chromium: install it, or name one with CHROMIUM=/path"; exit 1; fi; \
	for round in $(ROUNDS); do \
	  echo "round $$round of 10"; \
	  CHROMIUM="$$chromium" $(PYTEST) -q $(AT_ONCE) $(FAULTS_AND_BROWSER) || { echo "round $$round of 10 failed"; exit 1; }; \
	done; \
	echo "10 of 10 rounds passed."

bench: install ## measure intake, pages and replies; prints a table
	@$(WITH) --durable -- $(PY) -m bench

screenshots: install chromium ## take the pictures of every page
	@$(FIND_CHROMIUM); CHROMIUM="$$chromium" $(WITH) -- $(PY) -m tests.screenshots

reset: install ## forget all data, so that the next start begins anew
	@$(PY) -m contactcentre.supervisor reset

checks: install ## what needs no test: style, types, the houses' arrows, migrations
	$(PY) -m ruff check .
	.venv/bin/lint-imports
	@# Types and migrations read the settings, so they run beside servers as well.
	@$(WITH) -- /bin/sh -exc '\
	  $(PY) -m mypy; \
	  $(PY) manage.py makemigrations --check --dry-run; \
	  $(PY) manage.py check --fail-level WARNING'

unit: install ## unit and flow tests
	$(PYTEST) $(AT_ONCE) -m "not fault and not browser"

faults: install ## processes killed at named points
	$(PYTEST) $(FAULTS) $(NONE_IS_FINE)

browser: install chromium ## the loop in real Chromium
	@$(FIND_CHROMIUM); \
	if [ -n "$$chromium" ]; then CHROMIUM="$$chromium" $(PYTEST) $(AT_ONCE) $(BROWSER) $(NONE_IS_FINE); \
	else echo "**** SKIPPED: the browser tests. No Chromium was found. ****"; fi

# Both at once, as `make again` does: what dies is mostly waited for, and browsers compute meanwhile.
whole: install chromium
	@$(FIND_CHROMIUM); \
	if [ -n "$$chromium" ]; then CHROMIUM="$$chromium" $(PYTEST) $(AT_ONCE) $(FAULTS_AND_BROWSER); \
	else $(PYTEST) $(FAULTS) && echo "**** SKIPPED: the browser tests. No Chromium was found. ****"; fi

# Without --no-compile pip would compile every module of every package, of which a start imports a tenth: half a minute.
# The lock file names every dependency of a dependency, so pip need not look for any (--no-deps).
# Content decides, not dates: a fresh clone, a moved folder and a changed lock file are all told apart this way.
# The copy of the lock file is put there last, so an installation that was interrupted begins again.
install:
	@if $(PY) -c '' 2>/dev/null && cmp -s requirements.lock .venv/installed.lock; then exit 0; fi; \
	$(PYTHON) -c '' 2>/dev/null || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V): name another with make PYTHON=/path/to/python3"; exit 1; }; \
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }; \
	echo "Installing what requirements.lock names into .venv (again only when it changes)"; \
	$(PYTHON) -m venv --clear .venv || exit 1; \
	$(PY) -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps --require-hashes -r requirements.lock \
	  || { echo "The installation failed, see above. Without a network it needs a package cache."; exit 1; }; \
	cp requirements.lock .venv/installed.lock

chromium:
	@$(FIND_CHROMIUM); \
	if [ -z "$$chromium" ] && [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
	  echo "Chromium is missing; installing it"; \
	  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install chromium; \
	  $(FIND_CHROMIUM); \
	fi; \
	if [ -z "$$chromium" ]; then \
	  echo "**** No Chromium: install it, or name one with CHROMIUM=/path. The browser tests cannot run. ****"; \
	  [ "$$CI" != true ] || exit 1; \
	elif ! command -v "$$chromium" >/dev/null; then \
	  echo "CHROMIUM=$$chromium is no program."; exit 1; \
	fi
