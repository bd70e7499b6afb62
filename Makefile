# Every task of the project. `make` alone shows this list; what a task needs it brings itself.

.DEFAULT_GOAL := help
.PHONY: help install ui api run test verify check bench docs pictures
SHELL := /bin/sh
PYTHON_FILES := src packages tests benchmarks tools
export PYTHON

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-9s %s\n", $$1, $$2 }'

install: ## set up .venv with the raptorflow command in it, and nothing else
	@sh tools/bootstrap.sh run
	@echo "Installed: .venv/bin/raptorflow"

ui: ## build the web interface (make run does it when something has changed)
	@sh tools/bootstrap.sh run
	@sh tools/ui.sh build

api: ## write the API's document, and what the SDK and the web interface take from it
	@sh tools/bootstrap.sh dev
	@.venv/bin/python tools/openapi.py
	@.venv/bin/python tools/sdk.py
	@sh tools/ui.sh api

run: ## start everything; Ctrl-C stops it (make run ARGS="--port 9000")
	@sh tools/bootstrap.sh run
	@.venv/bin/python tools/system_packages.py || echo "Starting all the same; skills may not run."
	@sh tools/ui.sh build || echo "Starting all the same; the web interface is missing."
	@exec .venv/bin/raptorflow run $(ARGS)

test: ## run every test against real parts that it starts and stops itself (make test ARGS="tests/unit")
	@sh tools/bootstrap.sh dev
	@.venv/bin/python tools/system_packages.py --tests
	@sh tools/ui.sh build
	@sh tools/ui.sh test
	@.venv/bin/pytest -m "not verify" $(ARGS)

verify: ## run the long suites: fuzzing, crash matrix, load (ARGS="-m emulated": many micro VMs)
	@sh tools/bootstrap.sh dev
	@.venv/bin/python tools/system_packages.py --tests
	@sh tools/ui.sh build
	@.venv/bin/pytest -m "verify and not emulated" $(ARGS)

check: ## check the house rules: style, types, layers, sizes, lock file
	@sh tools/bootstrap.sh dev
	@sh tools/check.sh $(PYTHON_FILES)

bench: ## measure: each file in benchmarks/ prints one JSON line last
	@sh tools/bootstrap.sh dev
	@sh tools/ui.sh build
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; PYTHONPATH=. .venv/bin/python "$$file"; done

docs: ## check that every link in the documents leads somewhere
	@sh tools/bootstrap.sh dev
	@.venv/bin/python tools/check_links.py

pictures: ## take the documents' screenshots anew, from the browser's tests
	@sh tools/bootstrap.sh dev
	@.venv/bin/python tools/system_packages.py --tests
	@sh tools/ui.sh build
	@PICTURES=docs/images .venv/bin/pytest -q tests/e2e/web
