# Rust, Node and make are all that is needed.

CARGO ?= cargo
NPM ?= npm
# make stamps node_modules when the lock file changes, so that `npm ci` runs once.
NODE_STAMP := node_modules/.package-lock.json

.PHONY: all demo build test lint bench clean

all: build

## demo: the credit model's decision, proven and then checked by a generated contract in a local EVM
demo: build
	@target/release/zkml-chain demo

build: $(NODE_STAMP)
	$(CARGO) build --release --locked -p zkml-chain --bins

## test: every test of the workspace
test: $(NODE_STAMP)
	$(CARGO) test --release --locked --workspace

## lint: formatting and clippy, warnings are errors
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings

## bench: figures of whole processes, to target/bench/results.json
bench: build
	@target/release/zkml-bench

$(NODE_STAMP): package.json package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

clean:
	$(CARGO) clean
	rm -rf node_modules
