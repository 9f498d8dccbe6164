# Rust, Node and make are all that is needed.

CARGO ?= cargo
NPM ?= npm
NODE ?= node
# Where npm has no forge for a system: `make FORGE=forge`, with Foundry's own of the version in package.json.
FORGE ?= node_modules/.bin/forge
# make stamps node_modules when the lock file changes, so that `npm ci` runs once.
NODE_STAMP := node_modules/.package-lock.json

# How long attack, mutants and fuzz may take: 90s, 10m, 2h.
BUDGET ?= 10m
# How many random graphs are compared.
GRAPHS ?= 10000
# `make book` builds it once, below target.
MDBOOK ?= target/tools/bin/mdbook
MDBOOK_VERSION := 0.5.4
# Which part of the contracts' and of the source's mutants is tried: i/n, or all.
SHARD ?= 1/10

# What `make demo` proves: the name of a model in `models`, as in MODEL=credit_xgb; the credit network without one.
MODEL ?=
MODEL_FILE = $(firstword $(wildcard models/$(MODEL)/$(MODEL).onnx models/*/$(MODEL)/$(MODEL).onnx))
DEMO = $(if $(MODEL),$(or $(MODEL_FILE),$(error there is no model $(MODEL) in models)) --data $(dir $(MODEL_FILE))calibration.json)

# The environment in which the Python package is built and tested.
PYTHON ?= python3
VENV := target/python
VENV_STAMP := $(VENV)/.installed
# The environment in which what surrounds a fleet is checked.
FLEET_VENV := target/fleet/venv
FLEET_STAMP := $(FLEET_VENV)/.installed
# More for maturin; `.ci/run` has it take what the tests have built.
WHEEL ?=

.PHONY: all demo build wheel python xtask test cargo-test fleet forge attester abis fixtures lint lint-quick web web-test bench attack agree mutants source-mutants library-mutants fuzz report pages book spec fleet-bench fleet-suite fleet-check fleet-figures features operators clean

all: build

## demo: the credit model's decision, proven and then checked by a generated contract in a local EVM; MODEL=credit_xgb, of another model
demo: $(NODE_STAMP)
	@echo "building what the demo needs: about 300 packages, some minutes on two cores"
	$(CARGO) build --profile demo --locked -p zkml-chain --bin zkml-chain --no-default-features
	@target/demo/zkml-chain demo $(DEMO)

build: $(NODE_STAMP)
	$(CARGO) build --release --locked -p zkml-chain --bins

# The command line with what developers run on it.
xtask: $(NODE_STAMP)
	$(CARGO) build --release --locked -p zkml-chain -p xtask --bins

## test: every test of contracts and workspace; `make -j2 test` compiles contracts and workspace side by side
test: forge cargo-test

# Some of them need npm's packages.
cargo-test: $(NODE_STAMP)
	$(CARGO) test --release --locked --workspace

## fleet: queue, journal and fleet on PostgreSQL, which they start themselves: kills, a partition, real proofs; CHAOS=1000,50 for so many requests and kills
fleet: $(NODE_STAMP)
	$(if $(CHAOS),ZKML_CHAOS=$(CHAOS)) $(CARGO) test --release --locked --workspace --lib --test service --test watch_cli -- --ignored --nocapture postgres fleet::

## fleet-suite: the service's tests once more, with journals on PostgreSQL
fleet-suite: $(NODE_STAMP)
	ZKML_TEST_POSTGRES=1 $(CARGO) test --release --locked --workspace --test service

## fleet-bench: throughput, latency and cost of 1, 2 and 4 workers on this machine with real proofs, as a table for the book; minutes
fleet-bench: $(FLEET_STAMP) build
	cd deploy/fleet && ../../$(FLEET_VENV)/bin/python -m bench ../../target/release/zkml-chain --out simulate/bench.json

## forge: formatting, sizes under mainnet's limit, documentation and tests of the contracts
forge: $(NODE_STAMP)
	$(FORGE) fmt --check
	$(FORGE) build --sizes contracts/src contracts/test/generated
	FORGE=$(FORGE) $(NODE) --test tests/js/natspec.test.mjs tests/js/readme.test.mjs tests/js/typescript.test.mjs
	FORGE=$(FORGE) $(NODE) tests/js/suites.mjs

## attester: a key beside the model signs results on a local node, until it is revoked; after `make test`, which builds what it needs
attester: $(NODE_STAMP)
	$(NODE) --test tests/js/attester.test.mjs

## abis: contracts/ts/abis.ts, the ABIs of the npm package, from compiled contracts
abis: $(NODE_STAMP)
	$(FORGE) build contracts/src contracts/test/generated
	$(NODE) contracts/abis.mjs --package

## fixtures: models, contracts and real proofs for the contracts' tests, where they are out of date
fixtures: xtask
	@target/release/xtask fixtures

## lint: formatting, clippy and forge's lints; warnings and notes are errors
lint: lint-quick
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings

# Everything but clippy: .ci/run has it lint what the tests build.
lint-quick: $(NODE_STAMP)
	$(FORGE) fmt --check
	@# In folders of their own: linting compiles without code, and `forge build` takes what it finds for done.
	FOUNDRY_OUT=target/lint/out FOUNDRY_CACHE_PATH=target/lint/cache $(FORGE) lint --deny notes
	FOUNDRY_OUT=target/lint/out FOUNDRY_CACHE_PATH=target/lint/cache $(FORGE) lint --deny notes --only-lint unused-import
	$(CARGO) fmt --all --check
	@# Modules that a registry declares are unknown to `cargo fmt`.
	rustfmt --check --edition 2024 crates/zkml-onnx/src/ops/*.rs crates/zkml-onnx/src/own/*.rs crates/zkml-onnx/src/proto/rewrite/*.rs

## features: the library with no more than what verifiers or provers need, as a browser takes it
features:
	$(CARGO) check --release --locked -p zkml --no-default-features --features verify --target wasm32-unknown-unknown
	$(CARGO) check --release --locked -p zkml --no-default-features --features prove --target wasm32-unknown-unknown

## web: the browser's package into bindings/web/dist, and the playground into target/web/playground
web: $(NODE_STAMP) build
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
	$(CARGO) build --release --locked -p zkml-web-bindgen
	CARGO=$(CARGO) $(NODE) bindings/web/build.mjs

## web-test: package and playground in a headless Chromium; after `make web`
web-test: $(NODE_STAMP)
	$(NODE) --test bindings/web/tests/*.test.mjs

## bench: figures of whole processes, to target/bench/results.json
bench: xtask
	@target/release/xtask bench

## pages: the pages of the book that follow from the program, where they are out of date
pages: xtask
	@target/release/xtask pages

## attack: forges statements about random graphs, for each back end, and asks what large proofs say; an error if one lies or tells
attack:
	$(CARGO) run --release --locked -p zkml-attack -- --budget $(BUDGET)
	$(CARGO) run --release --locked -p zkml-attack -- --backend sumcheck --budget $(BUDGET)
	$(CARGO) test --release --locked -p zkml-attack --test zero_knowledge -- --ignored

## operators: one case of each ONNX operator the whole way, by both back ends, down to the contract
operators: $(NODE_STAMP)
	ZKML_OPERATORS=contracts $(CARGO) test --release --locked -p zkml --test operators -- --nocapture

## agree: compares honest runs of random graphs by eval, relations and circuit, and some of them by real proofs and contract
agree: $(NODE_STAMP)
	$(CARGO) run --release --locked -p zkml-attack -- --agree $(GRAPHS) --budget 10h

## mutants: removes checks one at a time, of the circuit, the verifier and printed contracts, and sees that something notices
mutants: $(NODE_STAMP)
	$(CARGO) run --release --locked -p zkml-attack -- --mutants --budget $(BUDGET)
	$(CARGO) test --release --locked -p zkml-verifier --lib mutants
	ZKML_MUTANTS=$(SHARD) $(CARGO) test --release --locked -p zkml-harness --test evm -- mutants

## source-mutants: cargo-mutants on what soundness rests on; needs `cargo install cargo-mutants --locked`
source-mutants:
	SHARD=$(SHARD) BUDGET=$(BUDGET) $(NODE) tests/js/source-mutants.mjs

## library-mutants: changes contracts/src, one check, operator or statement at a time, and runs the contracts' tests; ONLY=ZKMLRouter,… for some files
library-mutants: $(NODE_STAMP)
	FORGE=$(FORGE) $(NODE) tests/js/library-mutants.mjs --write $(if $(ONLY),--only $(ONLY))

## fuzz: libFuzzer on every reader of bytes that others wrote
fuzz:
	BUDGET=$(BUDGET) $(NODE) tests/fuzz/run.mjs --summary target/fuzz.json

## report: tests/README.md from the tables in tests/attacks
report:
	$(CARGO) run --release --locked -p zkml-attack -- --report tests/attacks > tests/README.md.new
	mv tests/README.md.new tests/README.md

## book: docs/book as pages in target/book; an error if a link in it leads nowhere
book:
	@command -v $(MDBOOK) >/dev/null || \
		$(CARGO) install mdbook --version $(MDBOOK_VERSION) --locked --no-default-features --debug --root target/tools
	MDBOOK=$(MDBOOK) $(NODE) tests/js/book.mjs

## wheel: the Python package with the command line inside, target/wheels/*.whl; needs Python 3.11 with venv
wheel: $(VENV_STAMP)
	rm -rf target/wheels
	$(VENV)/bin/maturin build --release --locked --manifest-path bindings/python/Cargo.toml --out target/wheels $(WHEEL)

## python: builds the wheel, and tests it: pytest, mypy, stubtest, notebooks
python: wheel $(NODE_STAMP)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps target/wheels/*.whl
	cd bindings/python && ../../$(VENV)/bin/mypy && ../../$(VENV)/bin/stubtest zkml_chain._native
	cd bindings/python && ../../$(VENV)/bin/pytest -n 2

$(VENV_STAMP): bindings/python/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

## spec: the executable specification of the sumcheck protocol: its tests, and that its vectors are fresh; needs Python 3.11
spec:
	@mkdir -p target
	cd docs/spec && python3 -m unittest -q && python3 -m spec.vectors ../../target/vectors.json
	cmp target/vectors.json docs/spec/vectors.json

## fleet-check: roles, compose file, Helm chart, dashboard, alerts and simulation of deploy/fleet; needs Python 3.11, PostgreSQL, promtool
fleet-check: $(FLEET_STAMP)
	cd deploy/fleet && ../../$(FLEET_VENV)/bin/python -m unittest -q

## fleet-figures: the simulated fleet's figures in the book and its page, target/fleet/simulation.html; a minute or two
fleet-figures:
	cd deploy/fleet && $(PYTHON) -m simulate

$(FLEET_STAMP): deploy/fleet/tests/requirements.txt
	$(PYTHON) -m venv $(FLEET_VENV)
	$(FLEET_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(NODE_STAMP): package.json package-lock.json
	$(NPM) ci --no-audit --no-fund --ignore-scripts
	@touch $@

clean:
	$(CARGO) clean
	rm -rf node_modules
