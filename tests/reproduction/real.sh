#!/usr/bin/env bash
#
# B1 and B17 once more with real daemons on this machine, over gRPC, at 50 steps a second (the 20 ms of the
# simulated ones). Prints CSV: experiment,setting,seed,metric,value. Unlike the simulated runs these are
# not repeatable to the digit. About six minutes.
#
#   tests/reproduction/real.sh > docs/reproduction/real.csv
#   SEEDS="4 5" tests/reproduction/real.sh b17

set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly SEEDS="${SEEDS:-1 2 3}"
readonly COMMON=(--model=mlp_small --optimizer=nesterov --learning_rate=0.01)

command -v jq > /dev/null || { echo "real.sh: needs jq (package jq)" >&2; exit 69; }
tools/bazel build //peer:peerd //coordinator:coordinatord //peer/cli:starling >&2

work="$(mktemp -d)"
declare -a pids=()
stop() {
  if ((${#pids[@]})); then
    kill "${pids[@]}" 2> /dev/null || true
    wait "${pids[@]}" 2> /dev/null || true
  fi
  pids=()
}
trap 'stop; rm -rf -- "${work}"' EXIT

b1() {
  local seed algorithm
  for seed in ${SEEDS}; do
    for algorithm in allreduce_sgd none elastic_gossip:p=1/8 gossiping_sgd:p=1/8; do
      # A demo that ends badly still reports, with the figures that it has.
      { bazel-bin/peer/cli/starling demo --peers=4 "${COMMON[@]}" --algorithm="${algorithm}" \
          --pace=50 --decay_share=0 --epochs=1 --seed="${seed}" --output=json 2> /dev/null || true; } |
        jq -r --arg head "B1,${algorithm},${seed}" '
          "\($head),exit_code,\(.exit_code)",
          "\($head),own_accuracy,\(.mean_test_accuracy)",
          "\($head),own_accuracy_min,\(.lowest_test_accuracy)",
          "\($head),average_accuracy,\(.averaged.test_accuracy)",
          "\($head),consensus,\(.averaged.consensus_distance)",
          "\($head),megabytes,\(.bytes_sent / 4e6)"'
    done
  done
}

# Waits for the address that a daemon writes into a file.
address_of() {
  local _
  for _ in $(seq 600); do
    [[ -s "$1" ]] && { cat -- "$1"; return; }
    sleep 0.1
  done
  echo "real.sh: no daemon wrote $1" >&2
  return 75
}

status_of() {
  bazel-bin/peer/cli/starling status --endpoint="$1" --output=json 2> /dev/null || echo '{}'
}

# One run: three workers make 50 steps a second, and the fourth as many as $3 says.
straggler_run() {
  local algorithm="$1" seed="$2" slow="$3" peer pace coordinator endpoint began status
  local head="B17,${algorithm} slowest at ${slow}/s,${seed}"
  rm -f -- "${work}"/*
  bazel-bin/coordinator/coordinatord --listen=127.0.0.1:0 --preset=fast \
    --address_file="${work}/coordinator" "${COMMON[@]}" --algorithm="${algorithm}" --min_peers=4 \
    --epochs=1 --seed="${seed}" > "${work}/coordinator.log" 2>&1 &
  pids+=($!)
  coordinator="$(address_of "${work}/coordinator")"
  for peer in 0 1 2 3; do
    pace=50
    ((peer == 3)) && pace="${slow}"
    bazel-bin/peer/peerd --listen=127.0.0.1:0 --preset=fast --coordinator="${coordinator}" \
      --address_file="${work}/peer${peer}" --max_steps_per_second="${pace}" \
      > "${work}/peer${peer}.log" 2>&1 &
    pids+=($!)
  done
  endpoint="$(address_of "${work}/peer0")"
  # 64-bit numbers are strings in JSON.
  until status="$(status_of "${endpoint}")" &&
    jq -e '(.training.step // 0 | tonumber) > 0' <<< "${status}" > /dev/null; do
    sleep 0.2
  done
  began="$(date +%s.%N)"
  until status="$(status_of "${endpoint}")" &&
    jq -e '(.training | .evaluated and .evaluated_step == .total_steps)' <<< "${status}" > /dev/null; do
    sleep 0.2
  done
  echo "${head},seconds,$(awk -v from="${began}" -v to="$(date +%s.%N)" 'BEGIN {print to - from}')"
  jq -r --arg head "${head}" '"\($head),own_accuracy,\(.training.test_accuracy)"' <<< "${status}"
  stop
}

b17() {
  local seed algorithm slow
  for seed in ${SEEDS}; do
    for algorithm in allreduce_sgd elastic_gossip:p=1/8; do
      for slow in 50 10; do
        straggler_run "${algorithm}" "${seed}" "${slow}"
      done
    done
  done
}

(($#)) || set -- b1 b17
echo "experiment,setting,seed,metric,value"
for experiment in "$@"; do
  case "${experiment}" in
    b1 | b17) "${experiment}" ;;
    *) echo "real.sh: unknown experiment ${experiment}; known: b1, b17" >&2; exit 64 ;;
  esac
done
