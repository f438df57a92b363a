#!/usr/bin/env bash
#
# The policies are pure: nothing that any algorithm of the registry is made of depends on gRPC, Asio or LibTorch,
# however indirectly. $1: the labels of everything that it depends on.

set -euo pipefail

readonly dependencies="$1"
if ! grep -q '^//peer/gossip:elastic_mix$' "${dependencies}"; then
  echo "the list of dependencies lacks the policies themselves: ${dependencies}" >&2
  exit 1
fi
if grep -E '^(@grpc//|@boost//|@libtorch//|//.*:(grpc|asio|torch)_)' "${dependencies}"; then
  echo "the policies depend on these; they must not" >&2
  exit 1
fi
