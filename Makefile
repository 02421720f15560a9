# "make" alone lists what there is. Everything that is built or measured goes to .bin.

.DEFAULT_GOAL := help
.NOTPARALLEL:

GO    ?= go
TOOL   = $(GO) tool -modfile=.tools.mod
PKG   ?= ./...
BENCH ?= .

.PHONY: help
help: ## show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## build the programs to .bin
	$(GO) build -trimpath -o .bin/ ./cmd/...

.PHONY: demo
demo: build ## two simulated cron hosts and one chain across them, on 127.0.0.1; Ctrl-C ends it (DEMO_DIR=.demo DEMO_PORT=8440)
	@.ci/demo

.PHONY: check
check: ## what CI runs: lint, vuln and test, all three even if one fails
	@.ci/check

.PHONY: lint
lint: ## format, linters, order of imports between packages
	$(TOOL) golangci-lint run ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what is called (govulncheck)
	@.ci/vuln

.PHONY: test
test: ## install what the tests need (as root on Debian) and run them all with the race detector (PKG=./...)
	@.ci/test $(PKG)

.PHONY: fmt
fmt: ## format the code
	$(TOOL) golangci-lint fmt ./...

.PHONY: bench
bench: ## run the benchmarks (PKG=./... BENCH=.)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $(PKG)

.PHONY: cover
cover: ## test coverage, total and as .bin/cover.html (PKG=./...)
	@mkdir -p .bin
	$(GO) test -vet=off -coverpkg=./... -coverprofile=.bin/cover.out $(PKG)
	@$(GO) tool cover -html=.bin/cover.out -o .bin/cover.html
	@$(GO) tool cover -func=.bin/cover.out | tail -n 1

.PHONY: clean
clean: ## remove .bin and the demo's data
	@.ci/demo clean
	rm -rf .bin
