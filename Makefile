# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
# Parts follow each other: each needs what the one before has made, and both cores.
.NOTPARALLEL:

CARGO ?= cargo
export CARGO
# Caches outside the clone where there is a place for them, inside it otherwise.
CACHE := $(shell directory="$${XDG_CACHE_HOME:-$$HOME/.cache}/cloudmeet"; mkdir -p "$$directory" 2>/dev/null && echo "$$directory" || echo "$(CURDIR)/.cache")
VENV := $(CACHE)/venv-$(shell sha256sum tests/requirements.txt | cut -c1-12)
ACTIONLINT := $(CACHE)/actionlint-1.7.12
# The programs of a Kubernetes for the tests, named by what they are built from.
KUBERNETES := $(CACHE)/kubernetes-$(shell cd tests/kubernetes/node && cat build.sh go.mod go.sum pause.c kube/main.go dns/main.go | sha256sum | cut -c1-12)
# Both majors, and kubectl; which ones, tests/harness/install-helm.sh says.
HELM := $(CACHE)/helm-$(shell sha256sum tests/harness/install-helm.sh | cut -c1-12)
PYTEST := $(VENV)/bin/python -m pytest
# One test leaves one core idle half of the time: it waits for the server, or the server for it.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 -m "not timed"
WIRE_TYPES := node tests/browser/support/wire-types.mjs
CRD := charts/cloudmeet/files/rooms.cloudmeet.io.yaml
STALE := a generated file is not what its source says: run "make generate" and commit it
# What is shipped: static, as in the images.
DIST = target/$(shell rustc -vV | sed -n 's/^host: //p')/dist
SHIPPED = CLOUDMEET_SERVER=$(CURDIR)/$(DIST)/cloudmeet-api-server CLOUDMEET_CLI=$(CURDIR)/$(DIST)/cloudmeet CLOUDMEET_OPERATOR=$(CURDIR)/$(DIST)/cloudmeet-operator
POSTGRES := tests/harness/with-postgres.sh
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)
# Shows what takes long: each part of `make test` says how many seconds it took.
PART = @part() { local began=$$SECONDS; echo "== $$1"; shift; "$$@"; echo "== took $$((SECONDS - began)) s"; }; part

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.PHONY: run
run: ## Start the server and the web UI on http://127.0.0.1:8000, with nothing configured
	$(CARGO) run --package cloudmeet-api-server

.PHONY: test
test: ## Install what the tests need and run every test but Kubernetes', the long ones shortened
	@$(MAKE) --no-print-directory tools lint test-workflows test-chart test-rust test-generated test-contract test-cli test-faults test-browser

.PHONY: test-long
test-long: ## Run faults, crowds and random lives at their promised length, and browsers behind nginx on both layouts, on what is shipped
	@$(MAKE) --no-print-directory kubernetes build dist browser-tools
	LONG=1 CLOUDMEET_SERVER=$(CURDIR)/$(DIST)/cloudmeet-api-server $(PYTEST) tests/faults tests/contract/test_frontend.py
	LONG=1 $(SHIPPED) KUBERNETES="$(KUBERNETES)" HELM="$(HELM)" $(PYTEST) tests/kubernetes/test_many.py tests/kubernetes/test_model.py

.PHONY: tools
tools: ## Install what the tests need, where it is missing
	$(PART) tools tests/harness/install-tools.sh "$(VENV)" "$(ACTIONLINT)" "$(HELM)"

.PHONY: fmt
fmt: ## Format the Rust code
	$(CARGO) fmt --all

.PHONY: lint
lint: ## Check format, lints and documentation
	$(PART) format $(CARGO) fmt --all --check
	$(PART) clippy $(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(PART) rustdoc env RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

.PHONY: deny
deny: ## Check licences and sources of dependencies (needs cargo-deny)
	$(CARGO) deny check

.PHONY: test-workflows
test-workflows: ## Check the CI workflow and all shell scripts
	$(PART) workflows "$(ACTIONLINT)/actionlint" .github/workflows/*.yml
	$(PART) scripts shellcheck .ci/run $$(git ls-files --cached --others --exclude-standard '*.sh')

.PHONY: test-chart
test-chart: tools ## Lint and render the Helm chart with both majors of Helm, and validate what comes out
	$(PART) chart env HELM="$(HELM)" $(PYTEST) $(SIDE_BY_SIDE) tests/chart

.PHONY: generate-chart
generate-chart: ## Write the table of values in the chart's README anew
	@$(VENV)/bin/python charts/generate_readme.py

.PHONY: build
build: ## Build the server, `cloudmeet` and the operator
	$(PART) build $(CARGO) build --workspace --locked

# Built together, the server and `cloudmeet` would have in them whatever the operator's dependencies ask of theirs. What
# measures asks for so little more that it is built with them.
.PHONY: dist
dist: ## Build what is shipped, and what measures it
	$(PART) dist docker/cargo-static.sh build --profile dist --locked --package cloudmeet-api-server --package cloudmeet-cli --package cloudmeet-bench
	$(PART) dist-operator docker/cargo-static.sh build --profile dist --locked --package cloudmeet-operator

.PHONY: test-rust
test-rust: ## Unit, property and store tests; the stores on SQLite and on a Postgres of their own
	$(PART) rust $(POSTGRES) $(CARGO) test --workspace --locked

.PHONY: generate
generate: build browser-tools ## Write the generated files anew from their sources
	@target/debug/cloudmeet-api-server openapi > api-server/openapi.json
	target/debug/cloudmeet-operator crd > $(CRD)
	$(WIRE_TYPES) > frontend/wire.d.ts

.PHONY: test-generated
test-generated: build browser-tools ## Compare the generated files with their sources
	@target/debug/cloudmeet-api-server openapi | diff -u api-server/openapi.json - || { echo "$(STALE)"; exit 1; }
	target/debug/cloudmeet-operator crd | diff -u $(CRD) - || { echo "$(STALE)"; exit 1; }
	$(WIRE_TYPES) | diff -u frontend/wire.d.ts - || { echo "$(STALE)"; exit 1; }

.PHONY: test-contract
test-contract: test-contract-untimed test-contract-timed ## REST and WebSocket against real servers: one, two, and the services apart behind nginx

.PHONY: test-contract-untimed
test-contract-untimed: build browser-tools
	$(PART) contract $(PYTEST) $(SIDE_BY_SIDE) tests/contract

.PHONY: test-contract-timed
test-contract-timed: build browser-tools
	$(PART) contract-timed $(PYTEST) -m timed tests/contract

.PHONY: test-cli
test-cli: build ## Every verb of `cloudmeet`, asking a server and on the databases
	$(PART) cli $(PYTEST) $(SIDE_BY_SIDE) tests/cli

.PHONY: test-faults
test-faults: build ## Kill the server under load and check the history
	$(PART) faults $(PYTEST) tests/faults

.PHONY: browser-tools
browser-tools:
	@npm --prefix tests/browser ci --no-audit --no-fund --loglevel=error

.PHONY: test-browser
test-browser: build browser-tools ## Types and units of the web UI, and two browsers that meet
	@cd tests/browser
	npx tsc --project ../../frontend
	node --test --test-concurrency=1 .

.PHONY: kubernetes
kubernetes: tools ## Build a Kubernetes for the tests, once: a quarter of an hour on two cores
	@tests/harness/install-node-tools.sh
	[[ ! -d "$(KUBERNETES)" ]] || exit 0
	$(PART) kubernetes-build tests/harness/with-go.sh 1.26 "$(VENV)" tests/kubernetes/node/build.sh "$(KUBERNETES)"

.PHONY: test-kubernetes
test-kubernetes: kubernetes build browser-tools ## Against a Kubernetes of the tests' own: its API alone, then a node that runs pods (as root)
	$(PART) kubernetes env KUBERNETES="$(KUBERNETES)" HELM="$(HELM)" $(PYTEST) --numprocesses 3 -m "not node and not timed" tests/kubernetes
	$(PART) kubernetes-timed env KUBERNETES="$(KUBERNETES)" HELM="$(HELM)" $(PYTEST) -m "timed and not node" tests/kubernetes
	$(PART) kubernetes-node $(AS_ROOT) env KUBERNETES="$(KUBERNETES)" HELM="$(HELM)" PATH="$$PATH" PYTHONDONTWRITEBYTECODE=1 $(PYTEST) -m node tests/kubernetes

.PHONY: test-mutants
test-mutants: kubernetes ## Break the programs and the chart in many ways, in a copy, and see that the tests notice
	$(PART) mutants env KUBERNETES="$(KUBERNETES)" HELM="$(HELM)" $(VENV)/bin/python tests/mutants/run.py $(CACHE)/mutants

.PHONY: bench
bench: kubernetes dist ## Measure against references on this machine, and write README's tables
	$(PART) bench $(POSTGRES) --fsync $(DIST)/cloudmeet-bench --write README.md
	$(PART) bench-kubernetes env $(SHIPPED) KUBERNETES="$(KUBERNETES)" HELM="$(HELM)" PYTHONPATH=tests $(VENV)/bin/python -m kubernetes.bench $(DIST)/cloudmeet-bench --write README.md

.PHONY: test-containers
test-containers: tools ## Build the images on a Docker engine of the tests' own, and run Compose and Swarm for real (as root)
	$(PART) containers tests/containers/run.sh $(CACHE)/containers $(PYTEST) tests/containers --timeout 3000
