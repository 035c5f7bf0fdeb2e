#!/usr/bin/env bash
# The main job, end to end, on Fashion-MNIST from Debian's package: a convolutional teacher, then the same DeiT three
# times under the same budget, and what came of each. `make demo` calls it after the build; about five minutes on two
# cores.
#
#   DEMO_OUTPUT=DIR   where the runs go (default: demo-run, made anew)
#   DEMO_DATA=DIR     other pictures: IDX files, or train/CLASS/… and val/CLASS/… of 28×28 pictures
set -euo pipefail

deit=.build/release/deit
data=${DEMO_DATA:-/usr/share/datasets/fashion-mnist}
output=${DEMO_OUTPUT:-demo-run}
student_epochs=4
teacher_epochs=3
# The same seed, pictures, epochs, batches and learning rate for all three students.
budget=(--recipe quickstart --data "$data" --epochs "$student_epochs" --seed 0)
started=$SECONDS

[[ -x $deit ]] || { echo "demo: $deit is not there; run \`make build\` first" >&2; exit 1; }
[[ -d $data ]] || { echo "demo: no pictures at $data; run \`make setup\`, or set DEMO_DATA" >&2; exit 1; }
rm -rf "$output"
mkdir -p "$output"

# train NAME OPTION… trains a run and keeps how long it took.
train() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s ==\n' "$name"
  "$deit" train --output "$output/$name" "$@" >"$output/$name.log" 2>&1 \
    || { cat "$output/$name.log" >&2; exit 1; }
  grep -E '^epoch .* val|^done' "$output/$name.log"
  echo $((SECONDS - start)) >"$output/$name.seconds"
}

# field JSON KEY prints a number of a flat JSON object, or nothing.
field() { sed -n "s/.*\"$2\":\([0-9.eE+-]*\).*/\1/p" "$1"; }

percent() { if [[ -n $1 ]]; then awk -v x="$1" 'BEGIN { printf "%.2f %%", 100 * x }'; else printf -- '-'; fi; }

# row LABEL NAME EPOCHS evaluates a run's best weights on all test pictures and prints a line of the table.
row() {
  local json="$output/$2.json" parameters
  "$deit" evaluate "$output/$2" --data "$data" --json >"$json"
  parameters=$(sed -n 's/^ *parameters: *"*\([0-9]*\)"*/\1/p' "$output/$2/run.yaml" | head -n 1)
  printf '%-34s %10s %6s %7s   %-9s %-9s %s\n' "$1" "$parameters" "$3" "$(cat "$output/$2.seconds")" \
    "$(percent "$(field "$json" top1)")" "$(percent "$(field "$json" cls_top1)")" \
    "$(percent "$(field "$json" dist_top1)")"
}

train teacher --recipe quickstart --data "$data" --model resnet8_cifar --size 28 --epochs "$teacher_epochs" --seed 0
train plain "${budget[@]}" --model deit_nano_patch4_28
train soft "${budget[@]}" --model deit_nano_patch4_28 --teacher "$output/teacher" --distillation soft
train hard "${budget[@]}" --model deit_nano_distilled_patch4_28 --teacher "$output/teacher" --distillation hard

printf '\nTop-1 on all test pictures, with the best weights of each run:\n\n'
printf '%-34s %10s %6s %7s   %-9s %-9s %s\n' model parameters epochs seconds top-1 'class' distillation
{
  row 'teacher (ResNet-8)' teacher "$teacher_epochs"
  row 'DeiT, no distillation' plain "$student_epochs"
  row 'DeiT, soft distillation' soft "$student_epochs"
  row 'DeiT, hard, distillation token' hard "$student_epochs"
} | tee "$output/table.txt"
printf '\nTop-1 of the last model is that of both heads together; "class" and "distillation" are its heads alone.\n'

printf '\nA few test pictures, by name:\n\n'
"$deit" classify "$output/hard" Examples/fashion/*.png --top 2
printf '\ndone in %d s; the runs are in %s\n' $((SECONDS - started)) "$output"
