"""All benchmarks in turn; then one table of targets beside what was measured, and all figures as JSON.

    tools/bazel build //tests/bench/... //peer:peerd //peer/cli:starling //coordinator:coordinatord
    sudo /usr/bin/python3 tests/bench/all.py --json=performance.json

Let nothing else run meanwhile. `--quick` repeats less; `--only=exchange,joining` runs some; `--from=performance.json`
prints the table of an earlier run. Those that need root or python3-torch are left out, and said, where these are missing.
Ctrl-C ends the run and keeps what was measured. Exit status: 0 if all ran (targets may be missed: a benchmark is no
test), 1 if one failed, 130 after Ctrl-C.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time

import targets

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "tests", "bench")
BUILD = "tools/bazel build //tests/bench/... //peer:peerd //peer/cli:starling //coordinator:coordinatord"


class Benchmark:
    def __init__(self, name, minutes, program, full, quick, quick_minutes=1, root=False, output="--json={}"):
        self.name, self.program, self.root, self.output = name, program, root, output
        self.arguments = {False: full, True: quick}
        self.minutes = {False: minutes, True: quick_minutes}

    def command(self, quick, path):
        start = (["/usr/bin/python3", os.path.join(HERE, self.program)] if self.program.endswith(".py")
                 else [os.path.join(ROOT, "bazel-bin", "tests", "bench", self.program)])
        return start + shlex.split(self.arguments[quick]) + shlex.split(self.output.format(path))


GOOGLE = "--benchmark_out_format=json --benchmark_out={} --benchmark_report_aggregates_only"
BENCHMARKS = [
    Benchmark("exchange", 3, "exchange", "--mib=4,16,64,256 --rounds=9 --gloo=tests/bench/gloo_allreduce.py",
              "--mib=64 --rounds=5 --gloo=tests/bench/gloo_allreduce.py"),
    Benchmark("trainer_overhead", 14, "trainer_overhead", "--rounds=7", "--rounds=1", 2),
    Benchmark("trainer_overhead_mlp", 6, "trainer_overhead", "--model=mlp --rounds=3", "--model=mlp --rounds=1", 2),
    Benchmark("trainer_overhead_cnn", 6, "trainer_overhead", "--model=cnn --rounds=3", "--model=cnn --rounds=1", 2),
    Benchmark("codecs", 4, "codecs", "--benchmark_repetitions=5",
              "--benchmark_repetitions=3 --benchmark_filter=64MiB", output=GOOGLE),
    Benchmark("optimizers", 1, "optimizers", "--benchmark_repetitions=3", "--benchmark_repetitions=3", output=GOOGLE),
    Benchmark("memory", 1, "memory", "--mib=16,64,256 --rounds=8", "--mib=256 --rounds=4 --codecs=fp32/fp32"),
    Benchmark("joining", 1, "joining", "--rounds=9", "--rounds=3"),
    Benchmark("growth", 5, "growth.py", "--seconds=15", "--peers=4,16 --seconds=5"),
    Benchmark("limits", 6, "limits.py", "--limits=0,4MB,1MB,250kB,60kB", "--limits=0,1MB --runs=1"),
    Benchmark("probe_latency", 2, "probe_latency.py", "", "--seconds=15", root=True),
    Benchmark("time_to_accuracy", 40, "time_to_accuracy.py", "--slowed=no,yes --runs=1",
              "--rates=20 --runs=1 --slowed=no,yes --contestants='elastic_gossip bf16/int8,DDP over gloo'", 10, root=True),
]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    return content.get("rows", content.get("benchmarks"))


def run(benchmark, quick):
    """The rows, or None if it failed."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "rows.json")
        if subprocess.run(benchmark.command(quick, path), cwd=ROOT).returncode == 0 and os.path.exists(path):
            return rows_of(path)
    return None


def print_table(results):
    rows = [("target", "", "measured", "")] + targets.table(results)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default="", help="file for all figures")
    parser.add_argument("--only", default="", help="some of " + ", ".join(each.name for each in BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds")
    parser.add_argument("--from", dest="earlier", default="", help="print the table of this file and measure nothing")
    options = parser.parse_args()
    if options.earlier:
        with open(options.earlier, encoding="utf-8") as file:
            print_table(json.load(file)["results"])
        return 0
    wanted = [name for name in options.only.split(",") if name] or [each.name for each in BENCHMARKS]
    unknown = set(wanted) - {each.name for each in BENCHMARKS}
    if unknown:
        sys.exit(f"all.py: --only: no benchmark {', '.join(sorted(unknown))}; there are "
                 + ", ".join(each.name for each in BENCHMARKS))
    chosen = [each for each in BENCHMARKS if each.name in wanted]
    missing = [each.program for each in chosen
               if not each.program.endswith(".py") and not os.path.exists(each.command(False, "")[0])]
    if missing:
        sys.exit(f"all.py: {', '.join(sorted(set(missing)))} not built: {BUILD}")

    report = {"machine": machine(), "results": {}, "left_out": {}}
    status = 0
    try:
        for number, each in enumerate(chosen, start=1):
            if each.root and os.geteuid() != 0:
                report["left_out"][each.name] = "needs root"
                print(f"\n[{number} of {len(chosen)}] {each.name}: left out, needs root", flush=True)
                continue
            print(f"\n[{number} of {len(chosen)}] {each.name}, about {each.minutes[options.quick]} min", flush=True)
            rows = run(each, options.quick)
            if rows is None:
                report["left_out"][each.name] = "failed"
                print(f"all.py: {each.name} failed; going on", file=sys.stderr)
                status = 1
            else:
                report["results"][each.name] = rows
    except KeyboardInterrupt:
        status = 130
    print()
    print_table(report["results"])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
