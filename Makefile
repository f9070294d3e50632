# Pronto: make demo builds and runs the main job; make test sets up and runs every test.
SHELL := /bin/bash
GO ?= go
BIN := bin/pronto
GOBIN := $(CURDIR)/bin
LINT_VERSION := v2.15.0
LINT := $(GOBIN)/golangci-lint-$(LINT_VERSION)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PEERS := sip-tester baresip-core kamailio kamailio-tls-modules tshark strace sipsak sipvicious redis-server redis-sentinel iproute2 iptables
TESTFLAGS ?= -race -p 1 -timeout 25m
# Tests with real audio, timers and processes need the cores to themselves: one package at a time. The
# others only compute, and do so beside them at low priority.
REALTIME := ./cmd/pronto ./dialer ./dialer/desk ./dialer/dscp ./dialer/media ./dialer/sandbox/... ./dialer/trunk

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/pronto
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/pronto

.PHONY: demo
demo: build ## build and run the main job on this machine: about 75 seconds
	$(BIN) demo $(DEMOFLAGS)

.PHONY: setup
setup: ## install what the tests need: SIP peers from Debian, the pinned linter
	@missing=""; for p in $(PEERS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@[ -x $(LINT) ] || { echo "installing golangci-lint $(LINT_VERSION)"; mkdir -p $(GOBIN); \
	  GOBIN=$(GOBIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) && mv $(GOBIN)/golangci-lint $(LINT); }
	$(GO) mod download

.PHONY: check
check: setup ## format, vet and lint
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not formatted: $$out"; exit 1; }
	$(GO) vet ./...
	$(LINT) run ./...

.PHONY: test
test: setup check build ## everything: set-up, lint, every test with the race detector, real peers included
	@others=$$($(GO) list ./... | grep -vxFf <($(GO) list $(REALTIME))); \
	nice -n 19 $(GO) test $(TESTFLAGS) $$others & beside=$$!; \
	$(GO) test $(TESTFLAGS) $(REALTIME); status=$$?; \
	wait $$beside && exit $$status

.PHONY: race
race: ## tests with the race detector, no set-up
	$(GO) test -race ./...

.PHONY: fuzz
fuzz: ## each fuzz target for 20 seconds
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg 2>/dev/null | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 20s $$pkg || exit 1; done; done

.PHONY: vulncheck
vulncheck: ## known vulnerabilities in what the program calls; asks vuln.go.dev, or a copy: GOVULNDB=file:///FOLDER
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $${GOVULNDB:+-db $$GOVULNDB} ./...

.PHONY: soak
soak: build ## kill -9 at random under load, 100 times, and at each part of each step; then soak-nodes
	PRONTO_KILLS=100 $(GO) test -run TestKilledAtRandom -timeout 60m -v ./cmd/pronto
	PRONTO_STEPS=all $(GO) test -run TestKilledAtEachStep -timeout 60m -v ./cmd/pronto
	$(MAKE) soak-nodes

.PHONY: soak-nodes
soak-nodes: ## four nodes on one Redis, 100,000 leads, sipp carriers, 200 troubles; then each kind of trouble alone. As root: own network namespaces
	PRONTO_NODES=4 PRONTO_LEADS=100000 PRONTO_TROUBLES=200 $(GO) test -run TestNodesShareLeads -timeout 120m -v ./cmd/pronto
	for kind in "node killed" "node stands still" "node cut off from redis" "node cut off from the carriers" "node cut off from redis and carriers" \
	  "node cut off from everything" "node loses a third of what is sent" "redis killed" "redis restarted" "redis stands still"; do echo "== $$kind"; \
	  PRONTO_KINDS="$$kind" PRONTO_NODES=4 PRONTO_LEADS=4000 PRONTO_TROUBLES=6 $(GO) test -run TestNodesShareLeads -timeout 30m -v ./cmd/pronto || exit 1; done

.PHONY: bench
bench: build bench-calls ## figures of docs/benchmarks.md: calls first, then the parts
	$(GO) test -p 1 -run '^$$' -bench . -benchmem -timeout 60m $$($(GO) list ./... | grep -v cmd/pronto)

.PHONY: bench-calls
bench-calls: ## set-ups per second beside sipp and kamailio, the knee, memory per line, clearance to INVITE, answer to the agent's voice, loading while dialing, a restart: about 30 minutes
	$(GO) test -run '^$$' -bench 'SetUps|MemoryPerLine|ClearanceToInvite|AnswerToVoice|RestartAfterADay' -benchtime 3x -timeout 60m ./cmd/pronto
	$(GO) test -run '^$$' -bench 'Knee|DialingWhileLoading|RestartWithManyLeads' -benchtime 1x -timeout 60m ./cmd/pronto

.PHONY: bench-pacing
bench-pacing: ## pacing's published table: cases, team sizes, pacers; takes long. PRONTO_SEEDS, PRONTO_AGENTS, PRONTO_CASES make it shorter
	@set -o pipefail; PRONTO_SWEEP=$${PRONTO_SWEEP:-cases,told,days,hour,shocks,early,frontier} $(GO) test ./pacing/sim -run TestSweep -count 1 -timeout 0 -v \
	| grep --line-buffered -vE '^(=== RUN|--- PASS|--- SKIP|    [a-z_]+_test.go:[0-9]+: set PRONTO_SWEEP|PASS|ok )'

.PHONY: bench-machines
bench-machines: ## what the detector of answering machines makes of spoken and recorded voices; needs the packages that dialer/detect/testdata/voices.sh names
	dialer/detect/testdata/voices.sh $(CURDIR)/bin/voices
	PRONTO_VOICES=$(CURDIR)/bin/voices $(GO) test ./dialer/media -run '^$$' -bench Voices -benchtime 1x -timeout 30m

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
