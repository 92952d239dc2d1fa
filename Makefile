# Steward. `make run` shows the demo organisation; `make help` lists the rest.

VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GO          ?= go
GOFLAGS     += -buildvcs=false
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
PARTS       := node_modules/.package-lock.json
CHART       := dashboards/static/echarts.min.js
export GOFLAGS

# Packages quick enough under the race detector to run so every time.
RACE := ./access/... ./identity/... ./ingest/event/... ./ingest/source/... ./internal/broker/... ./internal/keys/... ./internal/limit/... ./internal/outbound/... ./internal/simulate/...

.PHONY: help run build test engine bench chaos lint race

help:
	@echo 'make run     build, start with the demo organisation, print the address'
	@echo 'make build   bin/steward'
	@echo 'make test    every test, on the real engine and broker in-process'
	@echo 'make engine  fetch the embedded ClickHouse engine and the chart library once'
	@echo 'make bench   benchmarks, as one table of ratios'
	@echo 'make chaos   300 rounds of kill -9 and outages'
	@echo 'make lint    gofmt, vet, staticcheck, govulncheck'

run: build
	bin/steward serve --demo --data data

build: engine $(CHART)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/steward ./cmd/steward

# The library and the charts come from one npm lock file; nothing of JavaScript is built.
# With LIBCHDB set the engine library, 0.6 GB on disk, is not fetched again.
engine: $(PARTS)

$(PARTS): package.json package-lock.json
	@command -v npm >/dev/null || { echo 'npm is needed once, to fetch the embedded ClickHouse engine and the chart library that package-lock.json pins: install Node.js, or set LIBCHDB to a libchdb.so and put echarts.min.js into dashboards/static/.' >&2; exit 1; }
	npm ci --no-audit --no-fund $(if $(LIBCHDB),--omit=optional)
	@touch $@

$(CHART): $(PARTS)
	@mkdir -p $(@D)
	cp node_modules/echarts/dist/echarts.min.js $@

test: engine $(CHART) race
	$(GO) vet ./...
	$(GO) test -timeout 25m ./...

# The race detector needs a C compiler; without one the same packages still run in `test`.
race:
	@if command -v gcc >/dev/null || command -v clang >/dev/null; then \
		CGO_ENABLED=1 $(GO) test -race -timeout 10m $$($(GO) list $(RACE) 2>/dev/null); \
	else echo 'no C compiler: the race detector is left out'; fi

bench: engine $(CHART)
	$(GO) run ./internal/bench

chaos: engine
	STEWARD_CHAOS_CYCLES=300 $(GO) test -count=1 -timeout 3h -run 'Chaos|Kill' -v ./cmd/... ./ingest/... ./internal/broker/...

lint:
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt would change:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@./.ci/vulncheck $(GOVULNCHECK)
