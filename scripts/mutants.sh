#!/usr/bin/env bash
# Puts the faults of Tools/mutants into a copy of the checkout, builds it once, switches the faults on one at a time, and
# reports those that no test notices.
#
#   scripts/mutants.sh [--copy DIR] [--list FILE] [--check] [NAME]...
#
#   --copy DIR    keep the copy, with its build, in this folder, for another time; else it is made anew and removed
#   --check       only see whether each fault still applies to its file; nothing is built
#   --list FILE   the faults, by default Tools/mutants/training.txt, which tells the form
#   NAME          only these
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list=$root/Tools/mutants/training.txt
copy=
check=
names=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --copy) copy=${2:?--copy needs a folder}; shift 2 ;;
    --check) check=1; shift ;;
    --list) list=${2:?--list needs a file}; shift 2 ;;
    -*) echo "mutants.sh: there is no option $1; see the head of the script" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done
wanted() {
  [[ ${#names[@]} -eq 0 ]] && return 0
  local name
  for name in "${names[@]}"; do [[ $name == "$1" ]] && return 0; done
  return 1
}

faults=()
scratch=$(mktemp -d "${TMPDIR:-/tmp}/swift-deit-mutants.XXXXXX")
declare -A touched=()
while IFS= read -r line; do
  [[ -z $line || $line == \#* ]] && continue
  name=${line%% | *}; rest=${line#* | }
  file=${rest%% | *}; rest=${rest#* | }
  tests=${rest%% | *}; expression=${rest#* | }
  if [[ -z ${touched[$file]:-} ]]; then
    mkdir -p "$scratch/$(dirname "$file")"
    cp "$root/$file" "$scratch/$file"
    # The switch is TorchNN's.
    if [[ $file != Sources/TorchNN/* ]] && ! grep -q -E '^((public|package) )?import TorchNN$' "$root/$file"; then
      # A file without imports gets its own before all else.
      if grep -q -E '^((public|package) )?import ' "$scratch/$file"; then
        sed -i -E '0,/^((public|package) )?import /s//import TorchNN\n&/' "$scratch/$file"
      else
        sed -i '1i import TorchNN' "$scratch/$file"
      fi
    fi
    touched[$file]=1
  fi
  sed -i "$expression" "$scratch/$file"
  if ! grep -q -F "Mutant.isOn(\"$name\")" "$scratch/$file"; then
    echo "mutants.sh: the fault $name does not apply to $file any more: mend its expression in $list" >&2
    rm -rf "$scratch"
    exit 1
  fi
  wanted "$name" && faults+=("$name|$tests")
done < "$list"
if [[ -n $check ]]; then
  rm -rf "$scratch"
  echo "mutants: ${#faults[@]} faults apply"
  exit 0
fi

if [[ -z $copy ]]; then
  copy=$(mktemp -d "${TMPDIR:-/tmp}/swift-deit-mutants.XXXXXX")
  trap 'rm -rf "$copy"' EXIT
fi
mkdir -p "$copy"
copy=$(cd "$copy" && pwd -P)
if [[ $copy == "$(cd "$root" && pwd -P)" ]]; then
  echo "mutants.sh: --copy is the checkout itself; name another folder" >&2
  exit 2
fi
logs=$copy/.build/mutants
mkdir -p "$logs"

# Files that are as they were keep their times, so that a build goes on where it was.
while IFS= read -r -d '' file; do
  [[ -f $root/$file ]] || continue
  grep -q -F "| $file |" "$list" && continue
  cmp -s "$root/$file" "$copy/$file" && continue
  mkdir -p "$copy/$(dirname "$file")"
  cp -p "$root/$file" "$copy/$file"
done < <(git -C "$root" ls-files -z --cached --others --exclude-standard)

cat > "$copy/Sources/TorchNN/Mutant.swift" <<'SWIFT'
import Foundation

/// Switches on a fault that a test should notice.
public enum Mutant {
    private static let name = ProcessInfo.processInfo.environment["SWIFT_DEIT_MUTANT"]

    /// Whether a fault is on.
    public static func isOn(_ fault: String) -> Bool { name == fault }
}
SWIFT

for file in "${!touched[@]}"; do
  cmp -s "$scratch/$file" "$copy/$file" && continue
  mkdir -p "$copy/$(dirname "$file")"
  cp "$scratch/$file" "$copy/$file"
done
rm -rf "$scratch"
if [[ ${#faults[@]} -eq 0 ]]; then
  echo "mutants.sh: no fault of these names is in $list" >&2
  exit 2
fi

cd "$copy"
echo "building the copy in $copy"
make build-tests > "$logs/build.log" 2>&1 || { tail -n 40 "$logs/build.log" >&2; exit 1; }

all=$(printf '%s\n' "${faults[@]#*|}" | sort -u | paste -s -d '|')
if ! scripts/test.sh --filter "$all" > "$logs/none.log" 2>&1; then
  tail -n 20 "$logs/none.log" | cut -c 1-200 >&2
  echo "mutants.sh: the tests fail without any fault" >&2
  exit 1
fi
survivors=()
for fault in "${faults[@]}"; do
  name=${fault%%|*}
  if SWIFT_DEIT_MUTANT=$name scripts/test.sh --filter "${fault#*|}" > "$logs/$name.log" 2>&1; then
    survivors+=("$name")
    echo "SURVIVED  $name (${fault#*|})"
  else
    echo "noticed   $name (${fault#*|})"
  fi
done
echo "${#faults[@]} faults, ${#survivors[@]} that no test noticed"
[[ ${#survivors[@]} -eq 0 ]]
