#!/usr/bin/env bash
# coordinatord and starling start in milliseconds because they do not link LibTorch; peerd does.
set -euo pipefail

for program in coordinator/coordinatord peer/cli/starling; do
  if ldd "${program}" | grep -E '^\s*lib(torch|c10|caffe)'; then
    echo "${program} links LibTorch" >&2
    exit 1
  fi
done
if ! ldd peer/peerd | grep -q libtorch; then
  echo "peerd does not link LibTorch: this test looks in the wrong place" >&2
  exit 1
fi
