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
epochs=3
# The same seed, pictures, epochs and batches for all. The runs show their accuracy on some test pictures as they go, but
# nothing is chosen by it: the table is made from the last weights, not the best.
budget=(--recipe fashion-mnist --data "$data" --epochs "$epochs" --val-limit 2000 --seed 0)
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

# row LABEL NAME evaluates a run's last weights on all test pictures and prints a line of the table.
row() {
  local json="$output/$2.json" parameters
  "$deit" evaluate "$output/$2/checkpoints/last" --data "$data" --json >"$json"
  parameters=$(sed -n 's/^ *parameters: *"*\([0-9]*\)"*/\1/p' "$output/$2/run.yaml" | head -n 1)
  printf '%-34s %10s %6s %7s   %-9s %-9s %s\n' "$1" "$parameters" "$epochs" "$(cat "$output/$2.seconds")" \
    "$(percent "$(field "$json" top1)")" "$(percent "$(field "$json" cls_top1)")" \
    "$(percent "$(field "$json" dist_top1)")"
}

teacher=$output/teacher/checkpoints/last
student=deit_micro_patch7_28
train teacher "${budget[@]}" --model resnet8_cifar --size 28 --lr 4e-3
train plain "${budget[@]}" --model "$student"
# The paper's temperature and weight for the soft loss (table 3): τ = 3, λ = 0.1.
train soft "${budget[@]}" --model "$student" --teacher "$teacher" --distillation soft \
  --distillation-tau 3 --distillation-alpha 0.1 --kl-reduction batchmean
train hard "${budget[@]}" --model deit_micro_distilled_patch7_28 --teacher "$teacher" --distillation hard

printf '\nTop-1 on all test pictures, with the last weights of each run:\n\n'
printf '%-34s %10s %6s %7s   %-9s %-9s %s\n' model parameters epochs seconds top-1 'class' distillation
{
  row 'teacher (ResNet-8)' teacher
  row 'DeiT, no distillation' plain
  row 'DeiT, soft distillation' soft
  row 'DeiT, hard, distillation token' hard
} | tee "$output/table.txt"
printf '\nTop-1 of the last model is that of both heads together; "class" and "distillation" are its heads alone.\n'

printf '\nA few test pictures, by name:\n\n'
"$deit" classify "$output/hard/checkpoints/last" Examples/fashion/*.png --top 2
printf '\ndone in %d s; the runs are in %s\n' $((SECONDS - started)) "$output"
