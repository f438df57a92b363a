"""What an exchange costs a peer as the swarm on this machine grows: bytes, shards, processor time.

    tools/bazel build //peer:peerd //peer/cli:starling //coordinator:coordinatord
    /usr/bin/python3 tests/bench/growth.py --peers=2,4,8,16,32 --seconds=20

Real daemons train `mlp_small` at `--pace` steps a second each and exchange at every one of them. The same swarm without
exchanges (`none`) is measured beside it, and what it takes is subtracted: what is left is exchanges, counted once for
who asks and once for who answers. Bytes are those of payloads sent. Figures are means over all peers, from the moment
that all have made an exchange (a step) for so many seconds.
"""

import argparse
import os
import tempfile
import time

import json_rows
import limits as daemons

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def counters(address):
    of = daemons.status(address)
    if of is None:
        return None
    gossip = of.get("gossip", {})

    def count(*names):
        return sum(int(gossip.get(name, 0)) for name in names)

    return {
        "exchanges": count("exchanges_committed", "exchanges_answered"),
        "shards": count("shards_committed", "shards_answered"),
        "bytes": count("bytes_sent"),
        "steps": int(of.get("training", {}).get("step", 0)),
    }


def measure(algorithm, peers, arguments):
    with tempfile.TemporaryDirectory() as directory:
        processes = []
        try:
            coordinator, where = daemons.start(
                "coordinator/coordinatord", directory, "coordinator", "--model=mlp_small", "--epochs=0",
                f"--min_peers={peers}", f"--algorithm={algorithm}")
            processes.append(coordinator)
            swarm = []
            for number in range(peers):
                process, address = daemons.start(
                    "peer/peerd", directory, f"peer{number}", f"--coordinator={where}",
                    f"--max_steps_per_second={arguments.pace}", "--evaluate_every=0")
                processes.append(process)
                swarm.append((process, address))
            awaited = "steps" if algorithm == "none" else "exchanges"
            while True:
                first = [counters(address) for _, address in swarm]
                if all(of is not None and of[awaited] > 0 for of in first):
                    break
                time.sleep(0.5)
            busy = [processor_seconds(process) for process, _ in swarm]
            begin = time.monotonic()
            time.sleep(arguments.seconds)
            busy = [processor_seconds(process) - was for (process, _), was in zip(swarm, busy)]
            seconds = time.monotonic() - begin
            last = [counters(address) for _, address in swarm]
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait()
    sums = {key: sum(b[key] - a[key] for a, b in zip(first, last)) for key in first[0]}
    return sums, sum(busy) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="2,4,8,16,32")
    parser.add_argument("--algorithm", default="elastic_gossip:p=1")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pace", type=float, default=4)
    parser.add_argument("--json", default="", help="file for all figures")
    arguments = parser.parse_args()
    rows = []
    print("| peers | exchanges/s of a peer | kB sent per exchange | shards | ms of CPU per exchange | CPU without exchanges |")
    print("|---|---|---|---|---|---|")
    for peers in (int(size) for size in arguments.peers.split(",")):
        _, idle = measure("none", peers, arguments)
        sums, busy = measure(arguments.algorithm, peers, arguments)
        exchanges = max(sums["exchanges"], 1)
        rate = exchanges / arguments.seconds
        print(f"| {peers} | {rate / peers:.1f} | {sums['bytes'] / exchanges / 1e3:.1f} |"
              f" {sums['shards'] / exchanges:.2f} | {1e3 * (busy - idle) / rate:.2f} |"
              f" {100 * idle / peers:.1f} % of a core each |", flush=True)
        rows.append({"peers": peers, "exchanges_per_s": rate / peers, "bytes_per_exchange": sums["bytes"] / exchanges,
                     "shards_per_exchange": sums["shards"] / exchanges,
                     "cpu_ms_per_exchange": 1e3 * (busy - idle) / rate, "cpu_without_exchanges": idle / peers})
    json_rows.write(arguments.json, "growth", rows)


if __name__ == "__main__":
    main()
