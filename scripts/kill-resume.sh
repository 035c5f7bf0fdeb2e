#!/usr/bin/env bash
# Kills a training run with SIGKILL at random moments, resumes it each time, and compares what comes out with a run that
# was never killed, byte for byte: kill-resume.sh [DEIT] [KILLS] [DATA].
#
# Everything random and everything remembered is on. It takes a minute or two; the tests do the same with fewer kills.
set -euo pipefail

deit=${1:-.build/release/deit}
kills=${2:-20}
data=${3:-/usr/share/datasets/fashion-mnist}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export DEIT_COMPUTE=libtorch

options=(--recipe cifar --model deit_nano_patch7_28 --data "$data" --train-limit 3000 --val-limit 300 --epochs 3
    --warmup-epochs 1 --batch 64 --accumulation 2 --clip-grad 1 --drop 0.1 --dtype fp32 --threads 1 --checkpoint-interval 10
    --log-interval 5)

run() { "$deit" train "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; return 1; }; }

start=$(date +%s%N)
run "${options[@]}" --output "$folder/whole"
length=$(( ($(date +%s%N) - start) / 1000000 ))
echo "a run that is never killed takes $length ms"

same() {
    for file in last/model.safetensors last/trainer.safetensors best/model.safetensors; do
        cmp "$folder/whole/checkpoints/$file" "$folder/broken/checkpoints/$file" || return 1
    done
    echo "   at the end the checkpoints equal those of the run that was never killed"
}

kill=0
while [ "$kill" -lt "$kills" ]; do
    arguments=("${options[@]}")
    if [ -f "$folder/broken/run.yaml" ]; then arguments=(--resume); fi
    "$deit" train "${arguments[@]}" --output "$folder/broken" >"$folder/log" 2>&1 &
    process=$!
    pause=$(( 100 + (RANDOM * 32768 + RANDOM) % (length / 2 + 1) ))
    sleep "$(( pause / 1000 )).$(printf %03d $(( pause % 1000 )))"
    if kill -KILL "$process" 2>/dev/null; then
        wait "$process" 2>/dev/null || true
        kill=$(( kill + 1 ))
        last=$(readlink "$folder/broken/checkpoints/last" 2>/dev/null || echo "no checkpoint")
        echo "$kill: killed after $pause ms, $last"
    else
        # At its end before the signal: that run is judged, and another one begins.
        wait "$process"
        same
        rm -rf "$folder/broken"
    fi
done
if [ -f "$folder/broken/run.yaml" ]; then
    run --resume --output "$folder/broken"
    same
fi
