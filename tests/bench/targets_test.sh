#!/usr/bin/env bash
#
# The table of targets at the end of tests/bench/all.py, from figures as the benchmarks write them.

set -euo pipefail

readonly all="$1" figures="${TEST_TMPDIR}/figures.json"

fail() {
  echo "$1; the table was:" >&2
  echo "${table}" >&2
  exit 1
}

table_of() { # RESULTS
  echo '{"results": '"$1"'}' >"${figures}"
  table="$(/usr/bin/python3 "${all}" --from="${figures}")"
}

# Whether the row of this name ends so.
row() { # NAME ENDING
  grep -F -- "$1" <<<"${table}" | grep -Eq "$2\$" || fail "\"$1\" does not end with \"$2\""
}

table_of '{}'
row "bytes/s, of a raw gRPC stream's" "at least 0.7 +-"
grep -Eq "met|MISSED" <<<"${table}" && fail "a verdict without a figure"

table_of '{"exchange": [
    {"mib": 4, "case": "fp32/fp32, same host", "time_of_gloo": 9, "rate_of_raw_grpc": 9},
    {"mib": 64, "case": "fp32/fp32, loopback", "time_of_gloo": 9, "rate_of_raw_grpc": 9},
    {"mib": 64, "case": "fp32/fp32, same host", "time_of_gloo": 1.25, "rate_of_raw_grpc": 0.75}],
  "codecs": [
    {"name": "memcpy/64MiB_median", "aggregate_name": "median", "bytes_per_second": 10},
    {"name": "memcpy/64MiB_mean", "aggregate_name": "mean", "bytes_per_second": 99},
    {"name": "encode/bf16/baseline/64MiB_median", "aggregate_name": "median", "bytes_per_second": 4},
    {"name": "encode/bf16/avx2/64MiB_median", "aggregate_name": "median", "bytes_per_second": 8},
    {"name": "encode/bf16/avx2/1MiB_median", "aggregate_name": "median", "bytes_per_second": 80}],
  "growth": [
    {"peers": 2, "bytes_per_exchange": 900, "shards_per_exchange": 1},
    {"peers": 4, "bytes_per_exchange": 100, "shards_per_exchange": 1},
    {"peers": 8, "bytes_per_exchange": 120, "shards_per_exchange": 1}],
  "time_to_accuracy": [
    {"mbit": 20, "slowed": false, "contestant": "elastic_gossip bf16/int8", "seconds": 20, "rate": 50},
    {"mbit": 20, "slowed": true, "contestant": "elastic_gossip bf16/int8", "seconds": 30, "rate": 45},
    {"mbit": 20, "slowed": false, "contestant": "DDP over gloo", "seconds": 210, "rate": 2}]}'
row "64 MiB, fp32: time, of gloo's all-reduce" "at most 1 +1.25 +MISSED"
row "bytes/s, of a raw gRPC stream's" "at least 0.7 +0.75 +met"
row "64 MiB, bf16: time" "0.6 +-"
row "bf16 encode, of memcpy" "0.8 +met"
row "int8 encode, of memcpy" "0.5 +-"
row "bytes of an exchange from 4 to 32 peers" "1.2 +MISSED"
row "shards of an exchange" "at most 1.1 +1 +met"
row "DDP's time to 85 % over ours" "10.5 +met"
row "others' steps while one is slowed" "0.9 +MISSED"

/usr/bin/python3 "${all}" --only=exchnage 2>/dev/null && fail "a benchmark that does not exist was run"
exit 0
