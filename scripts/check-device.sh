#!/usr/bin/env bash
# Checks that the command computes on a device what it computes on the CPU, that runs there learn and go on, and how
# fast it is; in 8 minutes on a machine with a GPU.
#
#   scripts/check-device.sh [--device cuda|cpu|mps] [--tiny]
#
# DEIT=FILE          the command (default .build/release/deit, else .build/debug/deit)
# OUT=DIR            where the results go (default check-device.out)
# PYTHON=FILE        an interpreter with torch and timm, to be measured beside it (default python3; skipped without them)
# LD_LIBRARY_PATH    the libtorch to use, of the version that the command was built for
#
# --tiny takes the smallest networks and measures nothing for long: it checks the script itself, on any machine.
set -euo pipefail
cd "$(dirname "$0")/.."

device=cuda tiny=
while [[ $# != 0 ]]; do
  case $1 in
    --device) device=${2:?--device needs a name}; shift 2 ;;
    --tiny) tiny=1; shift ;;
    *) echo "check-device: unknown option $1" >&2; exit 64 ;;
  esac
done

deit=${DEIT:-}
for candidate in .build/release/deit .build/debug/deit; do
  [[ -n $deit ]] || { [[ -x $candidate ]] && deit=$candidate; } || true
done
[[ -x $deit ]] || { echo "check-device: no command found; run \`make build\` or set DEIT" >&2; exit 64; }
python=${PYTHON:-python3}
out=${OUT:-check-device.out}
rm -rf "$out"
mkdir -p "$out"

failures=()
part() { printf '\n== %s (%d s so far)\n' "$1" "$SECONDS"; }
fails() { printf 'FAILED: %s\n' "$1"; failures+=("$1"); }

# The last number of a field in a run's metrics.
metric() { grep -o "\"$2\":[0-9.eE+-]*" "$1/metrics.jsonl" | tail -n 1 | cut -d: -f2; }
at_least() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'; }

part "the machine"
"$deit" doctor | tee "$out/doctor.txt"

part "logits and gradients against the CPU"
parity=()
[[ -z $tiny ]] || parity=(--models deit_nano_patch4_28,resnet8_cifar)
"$deit" bench parity --device "$device" "${parity[@]}" 2>&1 | tee "$out/parity.txt" || fails "parity"

part "made-up images"
"$python" - "$out/data" "${tiny:+8}" <<'PYTHON'
# Four classes, each with a colour and stripes of its own under noise.
import os, random, struct, sys, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(side, label, generator):
    base = [(200, 60, 60), (60, 180, 60), (60, 60, 200), (180, 180, 60)][label]
    rows = b""
    for y in range(side):
        row = bytearray(b"\0")
        for x in range(side):
            stripe = 30 if ((x if label % 2 else y) // 4) % 2 else 0
            row += bytes(max(0, min(255, c + stripe + generator.randint(-40, 40))) for c in base)
        rows += bytes(row)
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")

folder, few = sys.argv[1], int(sys.argv[2] or 0)
generator = random.Random(1)
for split, count in (("train", few or 64), ("val", few or 16)):
    for label in range(4):
        place = f"{folder}/{split}/class-{label}"
        os.makedirs(place)
        for number in range(count):
            with open(f"{place}/{number}.png", "wb") as file:
                file.write(png(32, label, generator))
PYTHON
echo "in $out/data"

model=deit_nano_patch4_28
run=("$deit" train --data "$out/data" --recipe quickstart --model "$model" --size 28 --device "$device" --workers 4)
if [[ -n $tiny ]]; then run+=(--batch 8 --epochs 2 --threads 1); else run+=(--batch 32 --epochs 8); fi

part "a training run learns"
if "${run[@]}" --output "$out/train" >"$out/train.log" 2>&1; then
  top1=$(metric "$out/train" val_top1)
  echo "top-1 on validation images: $top1 (chance 0.25)"
  [[ -n $tiny ]] || at_least "$top1" 0.8 || fails "training does not learn"
else
  tail -n 3 "$out/train.log"; fails "training"
fi

part "a run is stopped and goes on"
"${run[@]}" --output "$out/resumed" --checkpoint-interval 1 >"$out/resumed.log" 2>&1 &
process=$!
for _ in $(seq 600); do [[ -e $out/resumed/checkpoints/last ]] && break; sleep 0.2; done
kill -TERM "$process" 2>/dev/null || true
wait "$process" || true
if "$deit" train --resume --output "$out/resumed" --device "$device" >>"$out/resumed.log" 2>&1; then
  echo "top-1: $(metric "$out/resumed" val_top1) after it went on, ${top1:-none} without a stop"
else
  tail -n 3 "$out/resumed.log"; fails "resume"
fi

part "a run moves to the CPU"
cp -r "$out/resumed" "$out/moved"
"$deit" train --resume --output "$out/moved" --device cpu >"$out/moved.log" 2>&1 || fails "resume on the CPU"
tail -n 1 "$out/moved.log"

part "a DINO run"
dino=("$deit" pretrain dino --data "$out/data" --model "$model" --size 28 --device "$device" --out-dim 256 --workers 4
  --local-crops-number 2 --knn-interval 1 --knn-start on --output "$out/dino")
if [[ -n $tiny ]]; then dino+=(--batch 8 --epochs 1 --threads 1 --warmup-epochs 0); else dino+=(--batch 32 --epochs 6 --warmup-epochs 1); fi
if "${dino[@]}" >"$out/dino.log" 2>&1; then
  echo "loss $(metric "$out/dino" train_loss), kNN top-1 $(metric "$out/dino" knn_top1)"
else
  tail -n 3 "$out/dino.log"; fails "DINO"
fi

part "features, neighbours and classes"
"$deit" evaluate "$out/train/checkpoints/last" --data "$out/data" --device "$device" >"$out/evaluate.txt" 2>&1 || fails "evaluate"
"$deit" features "$out/train/checkpoints/last" --data "$out/data" --device "$device" --output "$out/features.npy" \
  >"$out/features.txt" 2>&1 || fails "features"
"$deit" classify "$out/train/checkpoints/last" "$out/data/val/class-1/0.png" --device "$device" >"$out/classify.txt" 2>&1 \
  || fails "classify"
cat "$out/classify.txt"

part "a GPU that is not there"
code=0
"$deit" classify "$out/train/checkpoints/last" "$out/data/val/class-1/0.png" --device cuda:99 2>"$out/absent.txt" || code=$?
cat "$out/absent.txt"
[[ $code == 64 ]] || fails "exit code $code for a device that is not there"

part "speed"
if [[ -n $tiny ]]; then
  models=("$model") batches=(2) seconds=0 dtypes=(fp32)
else
  models=(deit_tiny_patch16_224 deit_small_patch16_224 deit_base_patch16_224) batches=(64 256) seconds=2 dtypes=(bf16)
fi
for name in "${models[@]}"; do
  for batch in "${batches[@]}"; do
    for dtype in "${dtypes[@]}"; do
      for kind in training inference; do
        "$deit" bench "$kind" --model "$name" --batch "$batch" --dtype "$dtype" --seconds "$seconds" --device "$device" --json \
          >>"$out/speed.jsonl" 2>>"$out/speed.log" || fails "bench $kind $name $batch $dtype"
        tail -n 1 "$out/speed.jsonl"
      done
    done
  done
done
if [[ -z $tiny ]] && "$python" -c 'import torch, timm' 2>/dev/null; then
  # Until the eighth minute; what is measured so far is printed.
  timeout $((SECONDS < 450 ? 450 - SECONDS : 1)) "$python" scripts/check_device_peers.py "$device" "${models[@]}" \
    | tee "$out/peers.jsonl" || echo "peers: ended by the time limit"
else
  echo "peers: skipped, $python has no torch and timm, or --tiny"
fi

part "waiting for images"
if [[ -z $tiny ]]; then
  "$deit" train --data "$out/data" --recipe deit --model deit_small_patch16_224 --batch 64 --epochs 2 --warmup-epochs 0 \
    --repeated-aug off --device "$device" --workers 16 --output "$out/loader" >"$out/loader.log" 2>&1 || fails "loader"
  echo "share of the time spent waiting for images: $(metric "$out/loader" data_wait)"
else
  echo "skipped with --tiny"
fi

printf '\n== %d s\n' "$SECONDS"
if [[ ${#failures[@]} != 0 ]]; then
  printf 'FAILED: %s\n' "${failures[@]}"
  exit 1
fi
echo "passed on $device; the results are in $out"
