# swift-deit. `make demo` and `make test` are all that a fresh clone needs; the other targets are for those who change it.
export PKG_CONFIG_PATH := $(shell scripts/setup.sh --pkg-config-path):$(PKG_CONFIG_PATH)

swift_build := swift build --explicit-target-dependency-import-check error
deit := .build/release/deit

.PHONY: all setup build demo test unit parity e2e format lint bench docs clean

all: build

setup:
	@scripts/setup.sh

build: setup
	$(swift_build) -c release --product deit
