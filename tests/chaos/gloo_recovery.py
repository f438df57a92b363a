#!/usr/bin/python3
"""What SIGKILL and SIGSTOP of one process do to a gloo process group.

Starts processes that all-reduce a buffer of a small model's size some 20 times a second, as
synchronous data-parallel training would; after a while hits one with the fault, and prints, for the
survivors: when their next all-reduce gave a result, when the first and when the last of them was told
of an error, how long they were without results, and whether the group was of use at the end. A killed
process is not started again: the group has no way to take it back.

    /usr/bin/python3 tests/chaos/gloo_recovery.py [--processes=4] [--runs=5] [--timeout=30]

Needs Debian's python3-torch; ends with code 77 and a word if it is not there.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PARAMETERS = 235146  # of the model mlp
INTERVAL = 0.05
WARM_UP = 4.0
RECENT = 1.0  # a group of use ended an all-reduce so lately


def worker(rank, size, store, timeout):
    import datetime

    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=size,
                            timeout=datetime.timedelta(seconds=timeout))
    parameters = torch.ones(PARAMETERS)
    while True:
        begin = time.time()
        try:
            dist.all_reduce(parameters)
            parameters /= size
            print("ok %.6f" % time.time(), flush=True)
        except RuntimeError as error:
            print("error %.6f %s" % (time.time(), str(error).splitlines()[0]), flush=True)
            time.sleep(INTERVAL)
        time.sleep(max(0, begin + INTERVAL - time.time()))


def read_log(path):
    records = []
    with open(path) as log:
        for line in log:
            words = line.split(maxsplit=2)
            if len(words) >= 2 and words[0] in ("ok", "error"):
                records.append((words[0], float(words[1])))
    return records


def run_once(args, freeze):
    with tempfile.TemporaryDirectory(prefix="gloo-recovery-") as directory:
        logs = [os.path.join(directory, str(rank)) for rank in range(args.processes)]
        processes = []
        try:
            for rank in range(args.processes):
                with open(logs[rank], "w") as log:
                    processes.append(subprocess.Popen(
                        [sys.executable, os.path.abspath(__file__), "--worker", str(rank),
                         "--processes", str(args.processes), "--timeout", str(args.timeout),
                         "--store", os.path.join(directory, "store")],
                        stdout=log, stderr=subprocess.DEVNULL))
            while not all(any(kind == "ok" for kind, _ in read_log(log)) for log in logs):
                time.sleep(0.1)
            time.sleep(WARM_UP)
            victim = processes[-1]
            event = time.time()
            if freeze is None:
                victim.kill()
                time.sleep(args.timeout + args.watch)
            else:
                victim.send_signal(signal.SIGSTOP)
                time.sleep(freeze)
                victim.send_signal(signal.SIGCONT)
                time.sleep(args.watch)
            end = time.time()
        finally:
            for process in processes:
                process.kill()
            for process in processes:
                process.wait()
        return judge([read_log(log) for log in logs[:-1]], event, end)


def last(times):
    return None if None in times else max(times)


def judge(survivors, event, end):
    """Times in seconds after the event, each of the last survivor; None: it did not happen."""
    # What ends within a step's time was under way or done already.
    settled = event + INTERVAL
    first_ok = []
    first_error = []
    silence = 0
    for records in survivors:
        first_ok.append(next((at - event for kind, at in records if kind == "ok" and at > settled),
                             None))
        first_error.append(next((at - event for kind, at in records if kind == "error"), None))
        good = [at for kind, at in records if kind == "ok"]
        silence = max([silence] + [b - a for a, b in zip(good, good[1:] + [end]) if b > event])
    works = all(records and records[-1][0] == "ok" and records[-1][1] > end - RECENT
                for records in survivors)
    told = [at for at in first_error if at is not None]
    return {"result": last(first_ok), "first_error": min(told) if told else None,
            "error": last(first_error), "silence": silence, "works": works}


def median(values):
    numbers = [float("inf") if value is None else value for value in values]
    middle = statistics.median(numbers)
    return "never" if middle == float("inf") else "%.2f s" % middle


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--timeout", type=float, default=30, help="of the process group, seconds")
    parser.add_argument("--watch", type=float, default=8,
                        help="seconds to watch after the fault, or after the timeout of a kill")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    args = parser.parse_args()
    try:
        import torch.distributed  # noqa: F401
    except ImportError:
        print("SKIPPED: there is no torch in %s; apt-get install python3-torch" % sys.executable)
        return 77
    if args.worker is not None:
        worker(args.worker, args.processes, args.store, args.timeout)
        return 0
    print("%d processes, group timeout %g s, median of %d runs" %
          (args.processes, args.timeout, args.runs))
    columns = "%-12s  %-15s  %-11s  %-13s  %-16s  %s"
    print(columns % ("fault", "result for all", "first error", "error for all", "longest silence",
                     "of use at the end"))
    for name, freeze in (("kill -9", None), ("freeze 2 s", 2), ("freeze 15 s", 15)):
        outcomes = [run_once(args, freeze) for _ in range(args.runs)]
        print(columns % (
            name, median([o["result"] for o in outcomes]),
            median([o["first_error"] for o in outcomes]), median([o["error"] for o in outcomes]),
            median([o["silence"] for o in outcomes]),
            "%d of %d" % (sum(o["works"] for o in outcomes), args.runs)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
