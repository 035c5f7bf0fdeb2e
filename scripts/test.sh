#!/usr/bin/env bash
# Runs the tests that `make test` has built, and ends with what failed and what was skipped.
#
#   scripts/test.sh [--filter NAME | --skip NAME]...     as for `swift test`
set -euo pipefail

# OpenMP's threads otherwise spin while they wait, which on a machine that is shared or has few cores takes ten times
# as long as the work itself.
[[ -n ${OMP_WAIT_POLICY:-} ]] || export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}

# Some tests load what this package wrote with Python's libraries; Tests/TestSupport/Peers.swift says where those are
# looked for, and each such test which packages it needs.

log=$(mktemp "${TMPDIR:-/tmp}/swift-deit-test.XXXXXX")
trap 'rm -f "$log"' EXIT
started=$SECONDS
status=0
swift test --skip-build "$@" 2>&1 | tee "$log" | { grep -v -E '^(◇|\[[0-9]+/[0-9]+\])|Test Suite|Executed 0 tests' || true; } || status=$?

count() { grep -c -E "$1" "$log" || true; }
# The macro's argument decides what a line looks like; a started test that never ended is a crash.
skipped=$(count '^➜ +Test .* skipped')
printf '\n'
if [[ $skipped != 0 ]]; then
  printf '%s tests were skipped:\n' "$skipped"
  grep -E '^➜ +Test .* skipped' "$log" | sort | uniq | sed 's/^➜ */  /'
fi
if [[ $status != 0 ]]; then
  printf 'FAILED after %s s:\n' $((SECONDS - started))
  grep -E '^✘ +Test .* (failed|recorded)|error:|Fatal error|signal code' "$log" | grep -v 'Test run with' | sort -u | head -n 40 | sed 's/^/  /'
  exit 1
fi
grep -q -E '^✔ +Test run with [1-9]' "$log" || { echo 'FAILED: no test ran'; exit 1; }
printf 'passed: %s, in %s s\n' "$(grep -o -E 'Test run with [0-9]+ tests? in [0-9]+ suites?' "$log" | tail -n 1 | sed 's/Test run with //')" $((SECONDS - started))
