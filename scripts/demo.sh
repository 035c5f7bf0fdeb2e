#!/usr/bin/env bash
# The main job, end to end, on Fashion-MNIST from Debian's package: a convolutional teacher, then the same DeiT three
# times under the same budget, and what came of each. `make demo` calls it after the build; five to six minutes on
# two cores.
#
#   DEMO_OUTPUT=DIR   where the runs go (default: demo-run, made anew)
#   DEMO_DATA=DIR     other images: IDX files, or train/CLASS/… and val/CLASS/… of 28×28 images
set -euo pipefail

deit=.build/release/deit
data=${DEMO_DATA:-/usr/share/datasets/fashion-mnist}
output=${DEMO_OUTPUT:-demo-run}
teacher_epochs=4
student_epochs=7
# The runs show their accuracy on some test images as they go, but nothing is chosen by it: the table is made from the
# last weights, not the best.
common=(--recipe fashion-mnist --data "$data" --val-limit 2000 --seed 0)
started=$SECONDS

[[ -x $deit ]] || { echo "demo: $deit does not exist; run \`make build\` first" >&2; exit 1; }
[[ -d $data ]] || { echo "demo: no images at $data; run \`make setup\`, or set DEMO_DATA" >&2; exit 1; }
rm -rf "$output"
mkdir -p "$output"

# train NAME OPTION… trains a run, shows its epochs and keeps how long it took.
train() {
  local name=$1 start=$SECONDS
  shift
  "$deit" train --output "$output/$name" "${common[@]}" "$@" 2>&1 | tee "$output/$name.log" \
    | { grep --line-buffered -E '^epoch .* val|error' || true; } | sed -u "s/^/$name: /"
  echo $((SECONDS - start)) >"$output/$name.seconds"
}

# field JSON KEY prints a number of a flat JSON object, or nothing.
field() { sed -n "s/.*\"$2\":\([0-9.eE+-]*\).*/\1/p" "$1"; }

percent() { if [[ -n $1 ]]; then awk -v x="$1" 'BEGIN { printf "%.2f %%", 100 * x }'; else printf -- '-'; fi; }

# row LABEL NAME EPOCHS evaluates a run's last weights on all test images and prints a line of the table.
row() {
  local json="$output/$2.json" parameters
  "$deit" evaluate "$output/$2/checkpoints/last" --data "$data" --json >"$json"
  parameters=$(sed -n 's/^ *parameters: *"*\([0-9]*\)"*/\1/p' "$output/$2/run.yaml" | head -n 1)
  printf '%-34s %10s %6s %7s   %-9s %-9s %s\n' "$1" "$parameters" "$3" "$(cat "$output/$2.seconds")" \
    "$(percent "$(field "$json" top1)")" "$(percent "$(field "$json" cls_top1)")" \
    "$(percent "$(field "$json" dist_top1)")"
}

printf '\n== The teacher, a ResNet ==\n'
train teacher --model resnet8_cifar --size 28 --epochs "$teacher_epochs" --lr 4e-3 --smoothing 0

# All three with the same images, epochs, batches and learning rate. Models this small gain little from a second core,
# so two runs at a time have a thread each. They see the same images in the same order: what the teacher says to those of
# the second run is kept for the third, which starts when the first, without a teacher, is done.
printf '\n== The students, two at a time ==\n'
teacher=$output/teacher/checkpoints/last
budget=(--epochs "$student_epochs" --threads 1 --workers 1)
student=deit_nano_patch7_28
taught=(--teacher "$teacher" --cache-teacher "$output/answers")
train plain "${budget[@]}" --model "$student" & plain=$!
# The paper's temperature and weight of the soft loss: τ = 3, λ = 0.1.
train soft "${budget[@]}" --model "$student" "${taught[@]}" --distillation soft \
  --distillation-tau 3 --distillation-alpha 0.1 --kl-reduction batchmean & soft=$!
wait "$plain"
train hard "${budget[@]}" --model deit_nano_distilled_patch7_28 "${taught[@]}" --distillation hard
wait "$soft"

printf '\nTop-1 on all test images, with the last weights of each run:\n\n'
printf '%-34s %10s %6s %7s   %-9s %-9s %s\n' model parameters epochs seconds top-1 'class' distillation
{
  row 'teacher (ResNet-8)' teacher "$teacher_epochs"
  row 'DeiT, no distillation' plain "$student_epochs"
  row 'DeiT, soft distillation' soft "$student_epochs"
  row 'DeiT, hard, distillation token' hard "$student_epochs"
} | tee "$output/table.txt"
printf '\nTop-1 of the last model is that of the mean of both heads; "class" and "distillation" are the single heads.\n'

printf '\nPredictions for a few test images:\n\n'
"$deit" classify "$output/hard/checkpoints/last" Examples/fashion/*.png --top 2
printf '\ndone in %d s; the runs are in %s\n' $((SECONDS - started)) "$output"
