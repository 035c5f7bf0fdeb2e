#!/usr/bin/env bash
# Prepares a machine for building swift-deit: Debian's packages, libtorch, and libtorch.pc for SwiftPM.
#
#   scripts/setup.sh            install what is missing, say what was done; a second run does nothing
#   scripts/setup.sh --pkg-config-path
#                               print the folder that holds libtorch.pc
#
# LIBTORCH=DIR                  use the libtorch in DIR (DIR/lib and DIR/include)
# LIBTORCH_CUDA=1               download the build for NVIDIA GPUs and the libraries of CUDA (3.7 GB unpacked)
# LIBTORCH_USE_PYTORCH=1        use the libtorch inside the PyTorch that `python3` imports
# SETUP_LINT=1                  install what `make lint` needs as well (clang-format), as .ci/run does
# SETUP_SYSTEM_PKGCONFIG=DIR    write libtorch.pc there too, where it may be written (default /usr/local/lib/pkgconfig)
# XDG_CACHE_HOME                where libtorch is unpacked (default ~/.cache), in swift-deit/
set -euo pipefail

torch_series=2.13
cache=${XDG_CACHE_HOME:-$HOME/.cache}/swift-deit
pkgconfig=$cache/pkgconfig
system_pkgconfig=${SETUP_SYSTEM_PKGCONFIG:-/usr/local/lib/pkgconfig}
mark="# written by swift-deit's scripts/setup.sh"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

# `make setup LIBTORCH_CUDA=0` is as good as without.
[[ ${LIBTORCH_CUDA:-} != 0 ]] || unset LIBTORCH_CUDA

if [[ ${1:-} == --pkg-config-path ]]; then
  printf '%s\n' "$pkgconfig"
  exit 0
fi

# One setup at a time: two `make` calls may start together.
mkdir -p "$cache" || fail "cannot write to $cache; set XDG_CACHE_HOME to a folder that can be written"
if command -v flock >/dev/null; then
  exec 9>"$cache/lock"
  flock 9
fi

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# Everything that the build, the tests and the demo need beyond the Swift toolchain.
install_debian_packages() {
  local wanted=(libjpeg-dev libpng-dev libwebp-dev zlib1g-dev libcurl4-openssl-dev libssl-dev
    ca-certificates dataset-fashion-mnist pkg-config make git libstdc++-12-dev)
  if [[ -z ${LIBTORCH:-}${LIBTORCH_USE_PYTORCH:-} ]]; then
    # Only to download. An interpreter that is not Debian's may already bring pip; Debian's needs its package.
    python3 -m pip --version >/dev/null 2>&1 || wanted+=(python3 python3-pip)
  fi
  # Debian 12's version, 14, is the one whose form the C and C++ files have; 15 and 16 agree with it.
  if [[ -n ${SETUP_LINT:-} ]]; then wanted+=(clang-format); fi
  local missing=() name
  for name in "${wanted[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  [[ ${#missing[@]} == 0 ]] && return
  [[ $(id -u) == 0 ]] || command -v sudo >/dev/null \
    || fail "Debian packages are missing and this is not root; have root run: apt-get install ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null \
    || say "apt-get update failed; trying with the lists that are there"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
    || fail "apt-get could not install: ${missing[*]}"
}

# Other systems have other names for the packages; say what the build will look for.
check_libraries() {
  local name missing=()
  command -v pkg-config >/dev/null || fail "needs pkg-config, and the development files of libjpeg-turbo, libpng, libwebp, zlib, libcurl and OpenSSL"
  for name in libjpeg libpng libwebp zlib libcurl libcrypto; do pkg-config --exists "$name" || missing+=("$name"); done
  [[ ${#missing[@]} == 0 ]] || fail "install the development files that pkg-config does not find: ${missing[*]}"
  command -v python3 >/dev/null || fail "needs python3 with pip to download libtorch, or LIBTORCH=DIR"
}

install_homebrew_packages() {
  command -v brew >/dev/null || fail "needs Homebrew, to install jpeg-turbo, libpng and webp"
  local name
  for name in jpeg-turbo libpng webp pkg-config; do
    brew list "$name" >/dev/null 2>&1 || brew install "$name"
  done
}

is_libtorch() {
  [[ -f $1/include/ATen/ATen.h ]] && compgen -G "$1/lib/libtorch_cpu.*" >/dev/null
}

# The wheel's tags for this machine. The interpreter's version in them does not matter: no Python part is unpacked.
wheel_platforms() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo manylinux_2_28_x86_64 ;;
    Linux-aarch64) echo manylinux_2_28_aarch64 ;;
    Darwin-arm64) echo "macosx_14_0_arm64 macosx_11_0_arm64" ;;
    *) fail "no libtorch wheel is known for $(uname -s) on $(uname -m); set LIBTORCH=DIR" ;;
  esac
}

# Asks pip for the +cpu build first: 190 MB where the ordinary Linux wheel has more than 500 MB of CUDA code. With
# LIBTORCH_CUDA that one is wanted.
download_wheel() {
  local into=$1 platforms platform requirement
  local arguments=(--no-deps --only-binary=:all: --python-version 3.11 --implementation cp --no-cache-dir)
  platforms=$(wheel_platforms) || exit 1
  for platform in $platforms; do arguments+=(--platform "$platform"); done
  local requirements=("torch==$torch_series.0+cpu" "torch==$torch_series.*")
  # The one for CUDA has no suffix; to pip "==" would be satisfied by +cpu as well, "===" is not.
  [[ -z ${LIBTORCH_CUDA:-} ]] || requirements=("torch===$torch_series.0")
  for requirement in "${requirements[@]}"; do
    python3 -m pip download -q --disable-pip-version-check "${arguments[@]}" -d "$into" "$requirement" \
      >"$into/pip.log" 2>&1 && return
  done
  return 1
}

# NVIDIA's libraries for the wheel in $1, unpacked beside its package in $2: that is where libtorch looks for them.
install_cuda_libraries() {
  local work=$1 parent=$2
  say "downloading the libraries of CUDA that this libtorch was built with"
  mkdir -p "$parent"
  # They are for any Python; pip knows which of their platforms this machine is.
  python3 -m pip install -q --disable-pip-version-check --no-cache-dir --only-binary=:all: --upgrade \
    --target "$parent" -r "$work/requirements" >"$work/pip.log" 2>&1 && return
  tail -n 3 "$work/pip.log" >&2 || true
  return 1
}

# Leaves libtorch in $1, whole or not at all: it is unpacked aside and renamed.
install_libtorch() {
  local target=$1 attempt wheel
  is_libtorch "$target" && [[ -f $target/complete ]] && return
  local work
  rm -rf "$cache"/libtorch.*  # what a killed setup left behind; the lock says that none is running
  work=$(mktemp -d "$cache/libtorch.XXXXXX")
  for attempt in 1 2 3; do
    rm -rf "$work"/*
    say "downloading libtorch $torch_series (attempt $attempt of 3)"
    if ! download_wheel "$work"; then
      tail -n 3 "$work/pip.log" >&2 || true
      continue
    fi
    wheel=$(find "$work" -maxdepth 1 -name 'torch-*.whl' | head -n 1)
    # The archive's own checksums tell a broken download.
    if ! python3 - "$wheel" "$work" <<'PYTHON'
import sys, zipfile, zlib
wheel, work = sys.argv[1:]
try:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            keep = name.startswith(("torch/lib/", "torch/include/")) or name == "torch/version.py"
            if keep and "libtorch_python" not in name and not name.endswith(".py"):
                archive.extract(name, work)
        # Which of NVIDIA's wheels it was built with.
        with open(f"{work}/requirements", "w") as out:
            for name in archive.namelist():
                if not name.endswith(".dist-info/METADATA"): continue
                for line in archive.read(name).decode().splitlines():
                    field, _, requirement = line.partition(": ")
                    if field == "Requires-Dist" and requirement.startswith(("nvidia-", "cuda-toolkit")):
                        print(requirement.split(";")[0].strip(), file=out)
        # The wheels of some systems keep shared libraries beside the package.
        for name in archive.namelist():
            if name.startswith("torch.libs/"):
                archive.extract(name, work)
except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
    sys.exit(f"setup: the wheel is broken: {error}")
PYTHON
    then continue; fi
    is_libtorch "$work/torch" || continue
    if [[ -n ${LIBTORCH_CUDA:-} ]]; then
      [[ -f $work/torch/lib/libtorch_cuda.so ]] || { say "the wheel has no CUDA"; continue; }
      install_cuda_libraries "$work" "$(dirname "$target")" || continue
    fi
    touch "$work/torch/complete"
    mkdir -p "$(dirname "$target")"
    rm -rf "$target"
    [[ -d $work/torch.libs ]] && mv "$work/torch.libs" "$(dirname "$target")/torch.libs"
    mv "$work/torch" "$target"
    rm -rf "$work"
    say "libtorch is in $target"
    return
  done
  rm -rf "$work"
  fail "libtorch could not be downloaded; fetch it by hand and set LIBTORCH=DIR"
}

# A wheel with CUDA inside needs NVIDIA's libraries from other wheels, even to run on the processor.
check_loadable() {
  local missing
  command -v ldd >/dev/null || return 0
  missing=$(ldd "$1/lib/libtorch_cpu.so" 2>/dev/null | awk '/not found/ { print $1 }' | sort -u | tr '\n' ' ') || true
  [[ -z $missing ]] || fail "libtorch in $1 cannot be loaded, it lacks: $missing
setup: that is a build for CUDA; remove that folder and run this again with LIBTORCH_CUDA=1, which gets those libraries too,
setup: let pip find the +cpu build (PIP_EXTRA_INDEX_URL with PyTorch's own index of CPU builds), or set LIBTORCH"
}

write_pkgconfig() {
  local libtorch=$1 libraries="-ltorch -ltorch_cpu -lc10" file
  file=$(mktemp "$cache/libtorch.pc.XXXXXX")
  cat >"$file" <<PC
$mark
prefix=$libtorch
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: libtorch
Description: PyTorch's C++ library
Version: $torch_series
Libs: -L\${libdir} $libraries
Cflags: -I\${includedir} -I\${includedir}/torch/csrc/api/include
PC
  install_pkgconfig "$file" "$pkgconfig"
  # Where it may be written, the system's own folder makes plain \`swift build\` work without any variable.
  if [[ -z ${LIBTORCH:-}${LIBTORCH_CUDA:-}${LIBTORCH_USE_PYTORCH:-} ]] && mkdir -p "$system_pkgconfig" 2>/dev/null && [[ -w $system_pkgconfig ]] \
    && { [[ ! -e $system_pkgconfig/libtorch.pc ]] || grep -qF "$mark" "$system_pkgconfig/libtorch.pc"; }; then
    install_pkgconfig "$file" "$system_pkgconfig"
  fi
  rm -f "$file"
  if ! cmp -s "$pkgconfig/libtorch.pc" "$system_pkgconfig/libtorch.pc"; then
    say "for plain \`swift build\`: export PKG_CONFIG_PATH=$pkgconfig"
  fi
}

# Keeps the old file where nothing changed, so that SwiftPM does not plan the build anew.
install_pkgconfig() {
  mkdir -p "$2"
  cmp -s "$1" "$2/libtorch.pc" || install -m 644 "$1" "$2/libtorch.pc"
}

case "$(uname -s)" in
  Linux) if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then install_debian_packages; else check_libraries; fi ;;
  Darwin) install_homebrew_packages ;;
esac

if [[ -n ${LIBTORCH:-} ]]; then
  libtorch=$(cd "$LIBTORCH" 2>/dev/null && pwd) || fail "LIBTORCH=$LIBTORCH is not a folder"
elif [[ -n ${LIBTORCH_CUDA:-} ]]; then
  [[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] || fail "LIBTORCH_CUDA is for Linux on x86-64; set LIBTORCH=DIR instead"
  libtorch=$cache/libtorch-$torch_series-cuda/torch
  install_libtorch "$libtorch"
elif [[ -n ${LIBTORCH_USE_PYTORCH:-} ]]; then
  libtorch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null) \
    || fail "LIBTORCH_USE_PYTORCH is set, but python3 cannot import torch"
else
  libtorch=$cache/libtorch-$torch_series/torch
  install_libtorch "$libtorch"
fi
is_libtorch "$libtorch" || fail "no libtorch in $libtorch: expected include/ATen/ATen.h and lib/libtorch_cpu"
[[ $(uname -s) == Darwin ]] || check_loadable "$libtorch"
write_pkgconfig "$libtorch"
