#!/usr/bin/env bash
#
# deploy/count_tests.py decides whether the tests passed, so it is tested on what Bazel writes: a target
# that did not build, one that died, one with every kind of case, and nothing at all.

set -euo pipefail

readonly counter="$1"
readonly events="${TEST_TMPDIR}/events" xml="${TEST_TMPDIR}/test.xml"

target() { # LABEL
  echo '{"id":{"targetConfigured":{"label":"'"$1"'"}},"configured":{"testSize":"SMALL"}}' >>"${events}"
}

result() { # LABEL STATUS [ATTEMPT]
  echo '{"id":{"testResult":{"label":"'"$1"'","run":1,"shard":1,"attempt":'"${3:-1}"'}},
    "testResult":{"status":"'"$2"'","testActionOutput":[{"name":"test.xml","uri":"file://'"${xml}"'"}]}}' |
    tr -d '\n' >>"${events}"
  echo >>"${events}"
}

cases() { # XML of the cases of every result
  echo "<testsuites><testsuite name='S'>$1</testsuite></testsuites>" >"${xml}"
}

# Starts with no events and one passing case in each result.
begin() {
  : >"${events}"
  cases "<testcase classname='S' name='Passes' status='run'/>"
}

# Checks the exit code, the last line and, if given, that some line contains a text.
expect() { # NAME EXIT_CODE LAST_LINE [TEXT [ARGUMENT...]]
  local name="$1" code="$2" last="$3" text="${4:-}" output status=0
  shift "$(($# < 4 ? $# : 4))"
  output="$(python3 "${counter}" "$@" "${events}")" || status=$?
  if [[ "${status}" != "${code}" || "${output##*$'\n'}" != "${last}" || "${output}" != *"${text}"* ]]; then
    echo "${name}: wanted exit code ${code}, '${last}' and '${text}'; got ${status} and: ${output}"
    exit 1
  fi
}

begin
target //a:t
target //b:t
result //a:t PASSED
result //b:t PASSED
expect "passing cases are added up" 0 "2 passed, 0 failed"

begin
target //a:t
result //a:t FAILED
cases "<testcase classname='S' name='Passes' status='run'/>
  <testcase classname='S' name='Fails' status='run'><failure message='1 != 2'/></testcase>
  <testcase classname='S' name='Skips' status='run'><skipped message='no'/></testcase>
  <testcase classname='S' name='DISABLED_Off' status='notrun'/>"
expect "every kind of case is told apart" 1 "1 passed, 1 failed, 2 skipped" "//a:t: S.Fails"

begin
target //a:t
target //b:t
result //a:t PASSED
expect "a target without a result fails" 1 "1 passed, 1 failed" "//b:t: not built or not run"

begin
target //a:t
result //a:t FAILED
cases "<testcase name='a/t' status='run'><error message='exited with error code 134'/></testcase>"
expect "a crash fails" 1 "0 passed, 1 failed" "//a:t: exited with error code 134"

begin
target //a:t
result //a:t TIMEOUT
expect "a failed target with passing cases fails" 1 "1 passed, 1 failed" "//a:t: timeout"

begin
target //a:t
result //a:t FAILED 1
result //a:t PASSED 2
expect "a later attempt replaces an earlier one" 0 "1 passed, 0 failed"

begin
target //a:t
result //a:t PASSED
echo "<testsuites><tests" >"${xml}"
expect "unreadable results fail" 1 "0 passed, 1 failed" "//a:t: unreadable results"

begin
expect "nothing ran" 1 "0 passed, 0 failed" "No test ran"
expect "bazel stopped before any test" 1 "0 passed, 1 failed" "exit code 1" --bazel-status=1
expect "no tests found is not a failed test" 1 "0 passed, 0 failed" "No test ran" --bazel-status=4
