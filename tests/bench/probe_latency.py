"""Round trips of probes beside bulk transfer over slow links: does the failure detector keep its ears?

    tools/bazel build //peer:peerd //peer/cli:starling
    sudo /usr/bin/python3 tests/bench/probe_latency.py --mbit=20 --seconds=40

Four peers in network namespaces, each behind a link of so many Mbit/s up and down (tbf, a queue of 100 ms), as in
time_to_accuracy.py. First nobody exchanges anything, then everybody exchanges a model of 11.5 MB with no pause, so
that every link is full. What a peer smooths of its calls' round trips (rtt_ms of its member table) is read twice a
second; the table has medians and the largest over all peers, and how many probes found nobody.
"""

import argparse
import statistics
import tempfile
import time

import json_rows
import time_to_accuracy as links


def run(algorithm, options):
    with tempfile.TemporaryDirectory() as logs, links.Processes() as processes:
        for peer in range(links.PEERS):
            log = open(f"{logs}/peer{peer}.log", "w")
            processes.start(peer, [
                f"{links.ROOT}/bazel-bin/peer/peerd", f"--listen={links.address(peer)}:7700",
                f"--peers={links.address(0)}:7700", "--model=mlp_large",
                f"--algorithm={algorithm}", f"--min_peers={links.PEERS}", "--evaluate_every=0",
                "--max_steps_per_second=2",
            ], stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            statuses = [links.status_of(peer) for peer in range(links.PEERS)]
            if min(links.number(each, "training", "step") for each in statuses) >= 1:
                break
            time.sleep(0.5)
        else:
            raise SystemExit("the peers did not begin to train")
        first = statuses
        began = time.monotonic()
        round_trips = []
        while time.monotonic() < began + options.seconds:
            time.sleep(0.5)
            statuses = [links.status_of(peer) for peer in range(links.PEERS)]
            for status in statuses:
                round_trips += [member["rtt_ms"] for member in status.get("peers", [])
                                if not member["self"] and member["rtt_ms"] > 0]
        seconds = time.monotonic() - began

        def grown(*path):
            return sum(links.number(last, *path) - links.number(early, *path)
                       for last, early in zip(statuses, first))

        return {"median": statistics.median(round_trips), "largest": max(round_trips),
                "mbit": 8e-6 * grown("gossip", "bytes_sent") / seconds / links.PEERS,
                "probes": grown("detector", "probes"),
                "failed": grown("detector", "probe_failures"),
                "suspicions": grown("detector", "suspicions")}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbit", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--json", default="", help="file for all figures")
    options = parser.parse_args()
    rows = []
    links.make_network(options.mbit)
    try:
        print("| links | Mbit/s sent a peer | round trip, median | largest | probes | found nobody | suspicions |")
        print("|---|---|---|---|---|---|---|")
        for name, algorithm in (("idle", "none"), ("full", "elastic_gossip:p=1")):
            of = run(algorithm, options)
            print(f"| {name} | {of['mbit']:.1f} | {of['median']:.1f} ms | {of['largest']:.1f} ms |"
                  f" {of['probes']:.0f} | {of['failed']:.0f} | {of['suspicions']:.0f} |", flush=True)
            rows.append({"links": name, **of})
    finally:
        links.unmake_network()
    json_rows.write(options.json, "probe_latency", rows)


if __name__ == "__main__":
    main()
