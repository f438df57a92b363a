#!/usr/bin/env bash
# coordinatord and starling start in milliseconds because they do not link LibTorch; peerd does.
set -euo pipefail

links_torch() {
  local libraries
  libraries=$(ldd "$1")
  grep -qE '^\s*lib(torch|c10|caffe)' <<<"${libraries}"
}

for program in coordinator/coordinatord peer/cli/starling; do
  if links_torch "${program}"; then
    echo "${program} links LibTorch" >&2
    exit 1
  fi
done
if ! links_torch peer/peerd; then
  echo "peerd does not link LibTorch: this test looks in the wrong place" >&2
  exit 1
fi
