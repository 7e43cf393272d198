# Every recipe is a command that one could type. `make` alone lists the targets.

# The first Python that is new enough; another one by `make PYTHON=python3.13 …`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Passed on: `make test ARGS='-k callback'`, `make lock ARGS=--upgrade`.
ARGS ?=
UV := uv==0.13.9
COMPILE := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras \
	--generate-hashes --no-emit-index-url --custom-compile-command 'make lock'
# What marks a text beside `_` and `gettext`; the order of the sources is the catalogue's.
EXTRACT := -k lazy_gettext -k N_ --no-location --omit-header
# docker where an engine answers, podman otherwise.
ENGINE ?= $(shell docker info >/dev/null 2>&1 && echo docker || echo podman)
IMAGE ?= flask-oidc-app

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/installed ## Try it: app, OpenID provider and sample API, on http://localhost:3000
	@$(BIN)/python -m demo $(ARGS)

.PHONY: run
run: $(VENV)/installed ## Run the app with the settings in .env, as in production
	$(BIN)/python gunicorn.conf.py $(ARGS)

.PHONY: doctor
doctor: $(VENV)/installed ## Say what is right with the settings, provider and API, and what to change
	@$(BIN)/python -m extras.doctor $(ARGS)

.PHONY: test
test: $(VENV)/installed-dev ## Run the tests; installs what they need first
	@.ci/install-system-packages
	$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

# The flow, its checks, the refresh, sign-out, SQLite, the pages; no browser, gunicorn or Redis.
QUICK := -k 'not redis' $(addprefix tests/auth/test_,sign_in.py login_transactions.py id_token.py \
	refresh.py sign_out.py backchannel_logout.py call_api.py errors.py) \
	tests/sessions/test_store.py tests/sessions/test_visitor_sessions.py \
	tests/pages/test_pages.py tests/pages/test_own_pages.py \
	tests/project/test_settings.py tests/project/test_docs.py

.PHONY: test-quick
test-quick: $(VENV)/installed-dev ## Run the tests of the core alone, in less than a minute
	$(BIN)/python -m pytest -n 4 --dist worksteal $(QUICK) $(ARGS)

.PHONY: lint
lint: $(VENV)/installed-dev ## Check style, types, deployment files and workflows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/kubernetes-validate --strict $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))
	$(BIN)/zizmor --offline --quiet .github

.PHONY: format
format: $(VENV)/installed-dev ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: lock
lock: $(VENV)/lock/made ## Compile requirements*.in to pins and hashes (ARGS=--upgrade for newer versions)
	$(COMPILE) $(ARGS) requirements.in --output-file requirements.txt
	$(COMPILE) $(ARGS) requirements-dev.in --output-file requirements-dev.txt

.PHONY: translations
translations: $(VENV)/installed ## Take new texts into the .po files, and compile those
	@for folder in . demo extras/*/; do \
		if [ -d $$folder/translations ]; then \
			if [ $$folder = . ]; then sources='app.py auth pages templates'; else sources=$$folder; fi; \
			$(BIN)/pybabel -q extract -F pyproject.toml $(EXTRACT) -o $(VENV)/messages.pot $$sources && \
			$(BIN)/pybabel -q update -N --omit-header --ignore-obsolete -w 100 -i $(VENV)/messages.pot -d $$folder/translations && \
			$(BIN)/pybabel -q compile -f -d $$folder/translations || exit 1; \
		fi; \
	done

.PHONY: test-lock
test-lock: $(VENV)/made ## Try the lock with the oldest pip that a supported Python brings
	@.ci/install-with-old-pip '$(PYTHON)'

.PHONY: audit
audit: $(VENV)/installed-dev ## Look the pinned packages up in the advisory database (needs network)
	@.ci/audit

.PHONY: bench
bench: $(VENV)/installed-dev ## Measure it beside a typical and a bare app; writes the table of docs/bench.md
	@.ci/install-system-packages redis-server
	@$(BIN)/python -m bench $(ARGS)

.PHONY: screenshots
screenshots: $(VENV)/installed-dev ## Make the pictures of README and docs/ anew, from the running demo
	@.ci/install-system-packages
	@$(BIN)/python .ci/screenshots.py $(ARGS)

.PHONY: image
image: ## Build the container image with docker or podman
	$(ENGINE) build $(BUILD_FLAGS) --tag $(IMAGE) .

.PHONY: test-image
test-image: $(VENV)/installed-dev ## Build the images, run production locked down and the demo in Chromium
	@.ci/install-system-packages
	ENGINE='$(ENGINE)' IMAGE='$(IMAGE)' .ci/test-image

.PHONY: secrets
secrets: $(VENV)/made ## Make the secret files that compose.yaml mounts (deploy/secrets)
	@PYTHON=$(BIN)/python deploy/make-secrets

.PHONY: clean
clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov test-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamp files: what they stand for is done again only when the file they depend on is newer.

$(VENV)/made:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed and was not found. Install it, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed; $(PYTHON) is {v[0]}.{v[1]}. Install one, or name it: make PYTHON=python3.13")'
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { echo 'This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Making the virtual environment in $(VENV)'
	@'$(PYTHON)' -m venv --clear $(VENV)
	@touch $@

$(VENV)/installed: requirements.txt $(VENV)/made
	@echo 'Installing the packages of requirements.txt'
	@$(PIP) install --quiet --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements.txt $(VENV)/made
	@echo 'Installing the packages of requirements-dev.txt'
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.txt
	@touch $(VENV)/installed $@

# In an environment of its own, so that a broken requirements-dev.txt can be compiled anew.
$(VENV)/lock/made: $(VENV)/made
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet '$(UV)'
	@touch $@
