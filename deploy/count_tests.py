"""Counts test cases from what `bazel test` reports.

Reads the file that Bazel wrote for --build_event_json_file, and the JUnit XML of each test that ran.
Prints the failed cases, then "N passed, N failed" (", N skipped" if any). Exits 0 only if something
passed and nothing failed.
"""

import argparse
import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree


class Count:
    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.failures = []

    def summary(self):
        line = f"{self.passed} passed, {len(self.failures)} failed"
        return f"{line}, {self.skipped} skipped" if self.skipped else line


def read_events(path):
    """The test targets that Bazel meant to run, and what became of each run of them."""
    targets = []
    results = {}
    for line in path.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # Bazel was killed while it wrote this line.
        ids = event.get("id", {})
        if "testSize" in event.get("configured", {}):
            targets.append(ids["targetConfigured"]["label"])
        elif "testResult" in event:
            key = ids["testResult"]
            # A later attempt of a flaky test replaces an earlier one.
            run = (key.get("run", 1), key.get("shard", 1))
            results.setdefault(key["label"], {})[run] = event["testResult"]
    return list(dict.fromkeys(targets)), results


def output(result, name):
    """The path of a file that a test left behind, or None."""
    for file in result.get("testActionOutput", []):
        if file.get("name") == name and file.get("uri", "").startswith("file://"):
            return pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(file["uri"]).path))
    return None


def count_cases(label, result, count):
    """Adds the cases of one run of a test target to `count`."""
    failures = []
    path = output(result, "test.xml")
    try:
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase")) if path else []
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        cases = []
        failures.append(f"{label}: unreadable results: {error}")

    for case in cases:
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        error = case.find("error")
        if error is not None:  # Written by Bazel for a test that died before it wrote its own.
            failures.append(f"{label}: {error.get('message') or name}")
        elif case.find("failure") is not None:
            failures.append(f"{label}: {name}")
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            count.skipped += 1
        else:
            count.passed += 1

    status = result.get("status", "NO_STATUS")
    if status not in ("PASSED", "FLAKY") and not failures:
        failures.append(f"{label}: {status.lower().replace('_', ' ')} outside its test cases")
    if failures and (log := output(result, "test.log")):
        failures[-1] += f"\n    {log}"
    count.failures += failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bazel-status", type=int, default=0, help="exit code of bazel test")
    parser.add_argument("events", type=pathlib.Path, help="file of --build_event_json_file")
    arguments = parser.parse_args()

    targets, results = read_events(arguments.events)
    count = Count()
    for label in targets:
        if label not in results:
            count.failures.append(f"{label}: not built or not run")
    for label, runs in sorted(results.items()):
        for result in runs.values():
            count_cases(label, result, count)

    no_tests_found = 4
    if arguments.bazel_status not in (0, no_tests_found) and not count.failures:
        count.failures.append(f"bazel test: exit code {arguments.bazel_status}, see above")

    print()
    if count.failures:
        print("Failed:")
        for failure in count.failures:
            print(f"  {failure}")
        print()
    if not (count.passed or count.failures):
        print("No test ran.")
    print(count.summary())
    return 0 if count.passed and not count.failures else 1


if __name__ == "__main__":
    sys.exit(main())
