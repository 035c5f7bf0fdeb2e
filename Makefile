# swift-deit. A fresh clone needs only `make build` (or `make demo`); the other targets are for development.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export PKG_CONFIG_PATH := $(shell scripts/setup.sh --pkg-config-path):$(PKG_CONFIG_PATH)

swift_build := swift build --explicit-target-dependency-import-check error
swift_files := $(wildcard Package.swift Benchmarks/Package.swift Fuzz/Package.swift Examples/Package.swift) Sources Tests \
	$(wildcard Benchmarks/Sources Examples/Sources Fuzz/Sources)
c_files := $(wildcard Sources/CTorch/*.cpp Sources/CTorch/*.h Sources/CTorch/*/*.cpp Sources/CTorch/*/*.h \
	Sources/CImageCodecs/*.c Sources/CImageCodecs/*.h Sources/CImageCodecs/include/*.h \
	Sources/CMappedFile/*.c Sources/CMappedFile/include/*.h Sources/CHTTP/*.c Sources/CHTTP/include/*.h \
	Tests/CFakeDevice/*.cpp Tests/CFakeDevice/*.h Tests/CFakeDevice/include/*.h \
	Benchmarks/Sources/CBaseline/*.cpp Benchmarks/Sources/CBaseline/*.c Benchmarks/Sources/CBaseline/include/*.h)
c_headers := $(wildcard Sources/CTorch/include/*.h Tests/CFakeDevice/include/*.h Sources/CImageCodecs/include/*.h Sources/CMappedFile/include/*.h \
	Sources/CHTTP/include/*.h)
fuzz_targets := safetensors zip pickle config cifar tar list exif
FUZZ ?= $(fuzz_targets)
RUNS ?= 100000
BENCH ?=
# Every library has an article to begin with, so none can be forgotten here.
documented := $(basename $(notdir $(wildcard Sources/*/*.docc)))
PARITY_PYTHON ?= $(firstword $(wildcard $(HOME)/.cache/swift-deit/peers/bin/python) python3)

.PHONY: all setup build build-tests check-device demo test unit parity e2e format lint bench benchmarks fuzz fuzz-smoke docs examples \
	fixtures clean help

all: build

help:
	@echo "make demo      build, then train a teacher and three students on Fashion-MNIST, and compare them"
	@echo "make test      build and run all tests"
	@echo "make build     build .build/release/deit"
	@echo "make unit | parity | e2e    run one kind of test"
	@echo "make format | lint          format the code, or check its formatting"
	@echo "make bench     compare the speed of wrapper, kernels and image pipeline with alternatives; BENCH=--strict fails on a miss"
	@echo "make benchmarks             build Benchmarks/ without running it"
	@echo "make check-device           check the device script with the smallest networks on the CPU; see docs/devices.md"
	@echo "make fuzz      run each parser on RUNS=100000 mutated files (libFuzzer); FUZZ=NAMES selects parsers"
	@echo "make fuzz-smoke             the same with 5000 files each, for CI"
	@echo "make examples  check every example in README, docs and --help; run the quick start and the programs in Examples/"
	@echo "make docs      build the API documentation; broken links are errors"
	@echo "make fixtures  regenerate the fixtures of the parity tests (needs Python with timm)"
	@echo "make clean     remove build products"

setup:
	@scripts/setup.sh

build: setup
	$(swift_build) -c release --product deit

demo: build
	scripts/demo.sh

# One build serves all tests; the end-to-end tests run the command that it leaves beside them.
#
# The C and C++ kernels are optimised in this debug build too, as the tests would otherwise spend minutes in unoptimised
# resampling. The variable is clang's own: with flags of SwiftPM, every build without them would compile all modules again.
build-tests: export CCC_OVERRIDE_OPTIONS := \#O2
build-tests: setup
	$(swift_build) --build-tests

# Two runs that should be equal to the bit need the number of threads for themselves, and tests of devices the policy of
# the process, so these suites come one after the other.
test: build-tests
	@scripts/test.sh --skip OptionEffectTests --skip DeviceTests --skip DeviceRunTests
	@scripts/test.sh --filter OptionEffectTests
	@scripts/test.sh --filter DeviceTests --filter DeviceRunTests

unit: build-tests
	@scripts/test.sh --skip ParityTests --skip EndToEndTests

parity: build-tests
	@scripts/test.sh --filter ParityTests

e2e: build-tests
	@scripts/test.sh --filter EndToEndTests

format:
	swift format -i -p -r $(swift_files)
	@if command -v clang-format >/dev/null; then clang-format -i $(c_files); \
	else echo "format: clang-format is not here; the C and C++ files are left as they are"; fi

lint:
	@scripts/mutants.sh --check
	swift format lint --strict -p -r $(swift_files)
	@scripts/folders.py
	@for header in $(c_headers); do \
		echo "#include \"$$header\"" | cc -x c -std=c11 -Wall -Werror -fsyntax-only -I . -; \
		echo "lint: $$header is C11"; \
	done
	@if command -v clang-format >/dev/null; then clang-format --dry-run --Werror $(c_files) && echo "lint: C and C++ have the form"; \
	else echo "lint: clang-format is not here (Debian: apt-get install clang-format); the form of the C and C++ files was not checked"; \
		[[ -z $${SETUP_LINT:-} ]]; fi

bench: setup
	GOMP_SPINCOUNT=$${GOMP_SPINCOUNT:-1000} swift run --package-path Benchmarks -c release deit-benchmarks $(BENCH)

# The debug build of the tests is used again: it has the libraries that the benchmarks are linked with.
benchmarks: setup
	swift build --package-path Benchmarks --scratch-path .build --product deit-benchmarks

# The flags are for all targets, the root package's included: without them its parsers have no coverage.
fuzz_flags := -c release -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xswiftc -enable-testing

# What libFuzzer finds on its way stays in Fuzz/.build/corpus; a crasher is left in Fuzz/.build. Readers of files have
# 256 MiB of memory; configurations have 256 MiB beside libtorch, which their library is linked with.
fuzz: setup
	swift build --package-path Fuzz $(fuzz_flags)
	@for target in $(FUZZ); do \
		echo "fuzz: $$target, $(RUNS) inputs"; mkdir -p Fuzz/.build/corpus/$$target; \
		program=deit-fuzz; memory=256; \
		if [[ $$target == config ]]; then program=deit-fuzz-config; memory=1024; fi; \
		dictionary=$$(ls Fuzz/$$target.dict 2>/dev/null || true); \
		DEIT_FUZZ=$$target Fuzz/.build/release/$$program -runs=$(RUNS) -max_len=16384 -rss_limit_mb=$$memory \
			-malloc_limit_mb=256 -timeout=5 \
			-verbosity=0 -print_final_stats=1 -artifact_prefix=Fuzz/.build/$$target- $${dictionary:+-dict=$$dictionary} \
			Fuzz/.build/corpus/$$target Tests/*/Fixtures/Corpus/$$target; \
	done

fuzz-smoke: RUNS = 5000
fuzz-smoke: fuzz

docs: setup
	@scripts/docs.sh $(documented)

check-device: build-tests
	@DEIT=.build/debug/deit OUT=.build/check-device scripts/check-device.sh --device cpu --tiny

# Python's standard library is all that these need. The debug build of the tests has the libraries of the programs.
examples: build-tests
	@python3 scripts/examples/snippets.py .build/debug
	@python3 scripts/examples/commands.py .build/debug/deit
	@python3 scripts/examples/quickstart.py .build/debug/deit
	swift build --package-path Examples --scratch-path .build
	@python3 scripts/examples/programs.py .build/debug

fixtures:
	for script in Tools/parity/make_*.py; do $(PARITY_PYTHON) "$$script"; done

clean:
	rm -rf .build Benchmarks/.build Examples/.build Fuzz/.build docs/html demo-run
