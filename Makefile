# The commands of this repository. `make check` is what CI runs; `make help`
# lists them all.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
# A go.work of your own must not change what is checked.
export GOWORK := off
export GO

# Every module of the repository but tools, which is nobody's code.
MODULES := $(shell find . -name go.mod -not -path './tools/*' -not -path '*/testdata/*' -not -path '*/node_modules/*' | sort | xargs -rn1 dirname)
# The modules that need no C compiler for the target.
PURE := $(filter-out ./isolate/wasmtime,$(MODULES))
TOOL := $(GO) tool -modfile=$(CURDIR)/tools/go.mod
PLATFORMS := linux/arm64 darwin/arm64 windows/amd64

# How long each fuzz target runs, and how often each benchmark does. A check of
# everything fuzzes for seconds.
ifndef FUZZTIME
FUZZTIME = 1m
check: FUZZTIME = 5s
endif
COUNT ?= 1

comma := ,
# Whole, and so without the race detector: with the other tests they run small.
HAMMER := WASMPOOL_HAMMER=whole $(GO) test -timeout 15m -run Hammer -count 1 -cpu 1$(comma)$(shell getconf _NPROCESSORS_ONLN)
# What ./... passes over.
TESTDATA := ./testdata/wasm

# in runs a command, which holds no comma, in each of some modules:
# $(call in,modules,command)
in = for m in $(1); do echo "--- $@: $$m"; (cd $$m && $(2)); done

.PHONY: check fmt format lint vet test socket race worlds fuzz hammer soak cross tidy vuln examples bench guests cover help

check: fmt lint vet test socket race worlds fuzz cross tidy hammer examples vuln ## everything that CI runs

fmt: ## fail if a file is not formatted, and show how it should be
	@$(call in,$(MODULES),$(TOOL) golangci-lint fmt -c $(CURDIR)/.golangci.yml --diff)

format: ## format every file
	@$(call in,$(MODULES),$(TOOL) golangci-lint fmt -c $(CURDIR)/.golangci.yml)

lint: ## run golangci-lint
	@$(call in,$(MODULES),$(TOOL) golangci-lint run -c $(CURDIR)/.golangci.yml ./...)

vet: ## run go vet
	@$(call in,$(MODULES),$(GO) vet ./...)

test: ## run all tests
	@$(call in,$(MODULES),$(GO) test -timeout 10m ./...)
	@$(GO) test $(TESTDATA)

socket: ## run the tests of processes with calls through the socket alone
	@WASMPOOL_TEST_TRANSPORT=socket $(GO) test -timeout 10m ./subprocess ./pool

race: ## run all tests under the race detector
	@$(call in,$(MODULES),$(GO) test -race -timeout 30m ./...)

worlds: ## run all tests as an ordinary user, and as one who is refused user namespaces
	@.ci/worlds

fuzz: ## run every fuzz target for FUZZTIME (1m)
	@$(call in,$(MODULES),$(CURDIR)/.ci/fuzz $(FUZZTIME))

hammer: ## run the tests named Hammer whole, on one and on all processors
	@$(call in,$(MODULES),$(HAMMER) ./... | { grep -v -e '\[no test' -e 'no tests to run' || true; })

soak: ## mix 200,000 hostile calls with as many honest ones; every run of the tests has a hundredth of it
	@WASMPOOL_SOAK=whole $(GO) test -timeout 60m -count 1 -v -run TestSoak ./pool

cross: ## build and vet for platforms that are not tested here
	@for p in $(PLATFORMS); do export GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0; $(call in,$(PURE),echo "    $$p" && $(GO) build ./... && $(GO) vet ./...); done
	@echo "--- $@: wasip1/wasm" && GOOS=wasip1 GOARCH=wasm $(GO) vet ./abi ./guest/...

tidy: ## fail if a go.mod is not tidy or a dependency was altered
	@$(call in,$(MODULES),$(GO) mod tidy -diff && $(GO) mod verify)

vuln: ## look for known vulnerabilities, where the database can be reached
	@$(call in,$(MODULES),$(CURDIR)/.ci/vuln $(TOOL) govulncheck)

examples: ## run the commands that the examples' READMEs give
	@shopt -s nullglob; for readme in examples/*/README.md; do .ci/readme $$readme; done

bench: ## run every benchmark COUNT (1) times; compare two outputs with benchstat
	@$(call in,$(MODULES),$(GO) test -run '^$$' -bench . -count $(COUNT) -timeout 60m ./...)

guests: ## rebuild the committed .wasm files: run each script named build beside their sources
	@find testdata guest examples -type f -name build -perm -u+x 2>/dev/null | sort | while read -r script; do echo "--- $@: $$script"; "$$script"; done

cover: ## say how much of the code the tests run
	@$(call in,$(MODULES),$(GO) test -coverpkg ./... -coverprofile cover.out ./... >/dev/null && $(GO) tool cover -func cover.out | tail -n 1)

help: ## print this
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
