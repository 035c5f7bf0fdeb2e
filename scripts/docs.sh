#!/usr/bin/env bash
# Builds the documentation of the named targets into docs/html/TARGET; a broken link or a missing parameter is an error.
#
#   scripts/docs.sh TARGET...
set -euo pipefail
cd "$(dirname "$0")/.."
for target in "$@"; do
  mkdir -p docs/html
  swift package --allow-writing-to-directory docs/html generate-documentation \
    --target "$target" --warnings-as-errors --output-path "docs/html/$target" \
    --transform-for-static-hosting --hosting-base-path "$target" >"docs/html/$target.log" 2>&1 \
    || { cat "docs/html/$target.log" >&2; echo "docs: $target has faults" >&2; exit 1; }
  rm "docs/html/$target.log"
  echo "docs: docs/html/$target"
done
