"""What limits on sending leave of exchanges: bytes, precision, frequency, agreement.

    tools/bazel build //peer:peerd //peer/cli:starling //coordinator:coordinatord
    /usr/bin/python3 tests/bench/limits.py --limits=0,4MB,1MB,250kB --runs=3

Two peers train the perceptron `mlp` (235,146 parameters, 0.94 MB as fp32) on Fashion-MNIST at `--pace` steps a
second, with an exchange every eighth step; each may send so many bytes a second. Both are watched from the
moment that they have made an exchange for `--seconds`, by their own counters and clocks; figures are those
of the first, medians over the runs. "of limit" is bytes sent a second over the limit, in the whole window; a
bucket (about one exchange) may lie above it.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import json_rows

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = {"kB": 1e3, "MB": 1e6}


def program(name):
    return os.path.join(ROOT, "bazel-bin", name)


def status(address):
    answer = subprocess.run(
        [program("peer/cli/starling"), "status", f"--endpoint={address}", "--output=json"],
        capture_output=True, text=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else None


def start(name, directory, tag, *flags):
    path = os.path.join(directory, tag)
    with open(path + ".log", "w") as log:
        process = subprocess.Popen(
            [program(name), "--listen=127.0.0.1:0", f"--address_file={path}", *flags],
            stdout=log, stderr=log)
    while not os.path.exists(path):
        if process.poll() is not None:
            raise SystemExit(open(path + ".log").read())
        time.sleep(0.05)
    return process, open(path).read().strip()


def one_run(limit, arguments):
    with tempfile.TemporaryDirectory() as directory:
        processes = []
        try:
            coordinator, where = start(
                "coordinator/coordinatord", directory, "coordinator", "--model=mlp", "--epochs=0",
                "--min_peers=2", "--algorithm=elastic_gossip:p=1/8")
            processes.append(coordinator)
            peers = []
            for number in range(2):
                process, address = start(
                    "peer/peerd", directory, f"peer{number}", f"--coordinator={where}",
                    f"--limit_send={limit}", f"--max_steps_per_second={arguments.pace}",
                    "--same_host_copies=false", "--evaluate_every=0")
                processes.append(process)
                peers.append(address)
            first = None
            while first is None or int(first["gossip"]["exchanges_committed"]) == 0:
                time.sleep(0.1)
                first = status(peers[0])
            time.sleep(arguments.seconds)
            last = status(peers[0])
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait()
    seconds = last["uptime_seconds"] - first["uptime_seconds"]

    def rate(*path):
        values = []
        for status_then in (first, last):
            for name in path:
                status_then = status_then.get(name, {})
            values.append(int(status_then or 0))
        return (values[1] - values[0]) / seconds

    def budget(name):
        return rate("gossip", "budget", name)

    exchanges = rate("gossip", "exchanges_committed") + rate("gossip", "exchanges_answered")
    return {
        "sent": rate("gossip", "bytes_sent"),
        "exchanges": exchanges,
        "coarser": budget("exchanges_coarser") / exchanges if exchanges else 0,
        "skipped": budget("exchanges_skipped") + budget("exchanges_put_off"),
        "refused": budget("exchanges_refused"),
        "steps": rate("training", "step"),
        "distance": last["gossip"]["consensus_distance"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", default="0,4MB,1MB,250kB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pace", type=float, default=50)
    parser.add_argument("--json", default="", help="file for all figures")
    arguments = parser.parse_args()
    rows = []
    print("| limit a second | kB/s sent | of limit | exchanges/s | coarser | not begun/s | refused/s | steps/s | distance |")
    print("|---|---|---|---|---|---|---|---|---|")
    for limit in arguments.limits.split(","):
        runs = [one_run(limit, arguments) for _ in range(arguments.runs)]
        of = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        bytes_limit = float(limit.rstrip("kMB")) * UNITS.get(limit[-2:], 1)
        share = f"{of['sent'] / bytes_limit:.2f}" if bytes_limit else ""
        print(f"| {limit if bytes_limit else 'none'} | {of['sent'] / 1e3:.0f} | {share} | {of['exchanges']:.1f} |"
              f" {100 * of['coarser']:.0f} % | {of['skipped']:.1f} | {of['refused']:.1f} | {of['steps']:.0f} |"
              f" {of['distance']:.3f} |", flush=True)
        rows.append({"limit_bytes_per_s": bytes_limit, **of})
    json_rows.write(arguments.json, "limits", rows)


if __name__ == "__main__":
    main()
