# The two commands most people need: `make drill` and `make test`. Everything else is in `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/.tools/bin:$(PATH)
ARGS ?=

.PHONY: help setup drill test bench chaos terraform-kills build test-systemd test-workflows clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

# npm leaves this file last, so an interrupted install is done again. Not `npm ci`: it refuses a lock file in which a registry
# had no package for another platform (Biome and others have one a platform); the versions are those of the lock either way.
node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Roundtrip needs Node 20 or newer with npm on PATH: https://nodejs.org" >&2; exit 6; }
	@echo "Roundtrip: installing packages (once)" >&2
	@npm install --no-save --no-audit --no-fund --loglevel=error >&2
	@touch $@

setup: node_modules/.package-lock.json ## get everything the drill needs; safe to run again
	@bun scripts/setup.ts

drill: setup build ## the whole failback on this machine, ending in a verdict (ARGS="--changes 200000 --seed 7")
	@bun scripts/drill.ts $(ARGS)

test: setup build ## every suite this machine can run (REQUIRE_ALL=1: a missing tool fails)
	@bun scripts/test.ts $(ARGS)

bench: setup build ## ratios measured in one run (ARGS=--json)
	@bun benchmarks/main.ts $(ARGS)

chaos: setup build ## kill -9 before and after every request of a small drill
	@bun tests/chaos/main.ts $(ARGS)

terraform-kills: setup build ## the first apply of the stack, killed at every request to AWS, and run again (an hour; ARGS="--only TEXT")
	@bun tests/terraform-kills/main.ts $(ARGS)

build: node_modules/.package-lock.json ## dist/roundtrip-worker, dist/create-user-db.zip (ROUNDTRIP_CA_BUNDLE=<file>), dist/notify.zip
	@bun services/build.ts
	@bun scripts/build-create-user-db.ts >&2
	@bun scripts/build-notify.ts >&2

test-systemd: setup build ## the units under real systemd in a container (root, systemd-container)
	@bun tests/systemd/run.ts $(ARGS)

test-workflows: setup build ## each workflow run by act, start to end (act, terraform; WORKFLOW_PAGES=<dir> keeps the pages)
	@WORKFLOWS=all bun test --timeout=120000 --parallel=2 $(ARGS) ./tests/workflows/act

clean: ## remove what was built; downloaded tools stay
	@rm -rf dist coverage drill-report.html
