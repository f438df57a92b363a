"""How long four machines take to 85 % on Fashion-MNIST over slow links: ours against DDP over gloo.

    tools/bazel build //peer:peerd //peer/cli:starling
    sudo /usr/bin/python3 tests/bench/time_to_accuracy.py --rates=20,100,1000 --runs=3

Every peer lives in a network namespace of its own; each has a link of so many Mbit/s up and as many down
(tbf). All contestants train the perceptron `mlp` (235,146 parameters) from each one's quarter of the data
with Nesterov momentum 0.9, batches of 32, at `--pace` steps a second at most, as a machine of that speed
would: so the network is what is compared, not this machine's load. With --slowed the last peer makes a
quarter of the steps.

Time begins when all have made a step, and ends when every peer's own model (DDP: the one model) has the
accuracy. DDP's clock stands still while it evaluates. The learning rate is 0.01; of those that average
gradients, DDP and allreduce_sgd, 0.01 times --scale, by default the 4 of the linear scaling rule. Needs root, ip, tc, and Debian's python3-torch for DDP.
"""

import argparse
import atexit
import gzip
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import json_rows

DATA = "/usr/share/datasets/fashion-mnist"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = 4
BRIDGE = "starbr0"
CONTESTANTS = {
    "elastic_gossip bf16/int8": ("elastic_gossip:p=1/32", "bf16", "int8"),
    "elastic_gossip fp32": ("elastic_gossip:p=1/32", "fp32", "fp32"),
    "allreduce_sgd": ("allreduce_sgd", "fp32", "fp32"),
    "DDP over gloo": None,
}


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def namespace(peer):
    return f"starbench{peer}"


def address(peer):
    return f"10.77.0.{peer + 1}"


def unmake_network():
    # A namespace takes its end of a link with it some time later; the link would be in the way meanwhile.
    for link in [f"starv{peer}" for peer in range(PEERS)] + [BRIDGE]:
        subprocess.run(["ip", "link", "del", link], stderr=subprocess.DEVNULL)
    for peer in range(PEERS):
        subprocess.run(["ip", "netns", "del", namespace(peer)], stderr=subprocess.DEVNULL)


def make_network(mbit):
    unmake_network()
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "link", "set", BRIDGE, "up")
    # Enough for one millisecond, and never less than a few segments.
    shape = ["tbf", "rate", f"{mbit}mbit", "burst", str(max(32000, mbit * 125)), "latency", "100ms"]
    for peer in range(PEERS):
        inside = ["ip", "netns", "exec", namespace(peer)]
        outer = f"starv{peer}"
        run("ip", "netns", "add", namespace(peer))
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns",
            namespace(peer))
        run("ip", "link", "set", outer, "master", BRIDGE, "up")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "addr", "add", f"{address(peer)}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        run(*inside, "tc", "qdisc", "add", "dev", "eth0", "root", *shape)
        run("tc", "qdisc", "add", "dev", outer, "root", *shape)


class Processes:
    """Children in their namespaces; nothing outlives the block."""

    def __init__(self):
        self.children = []

    def __enter__(self):
        return self

    def start(self, peer, command, **options):
        child = subprocess.Popen(["ip", "netns", "exec", namespace(peer), *command], **options)
        self.children.append(child)
        return child

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()


def status_of(peer):
    """Of a daemon, asked inside its namespace, so that asking costs its link nothing."""
    answer = subprocess.run(
        ["ip", "netns", "exec", namespace(peer), f"{ROOT}/bazel-bin/peer/cli/starling", "status",
         f"--endpoint={address(peer)}:7700", "--output=json"],
        capture_output=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else {}


def number(status, *path):
    for name in path:
        status = status.get(name, {}) if isinstance(status, dict) else {}
    return float(status) if status != {} else 0.0


def run_ours(contestant, options, slowed):
    algorithm, request, reply = contestant
    rate = 0.01 * (options.scale if algorithm == "allreduce_sgd" else 1)
    with tempfile.TemporaryDirectory() as logs, Processes() as processes:
        for peer in range(PEERS):
            pace = options.pace / 4 if slowed and peer == PEERS - 1 else options.pace
            log = open(f"{logs}/peer{peer}.log", "w")
            processes.start(peer, [
                f"{ROOT}/bazel-bin/peer/peerd", f"--listen={address(peer)}:7700",
                f"--peers={address(0)}:7700", "--model=mlp", f"--algorithm={algorithm}",
                f"--min_peers={PEERS}", f"--slot={peer}", f"--parts={PEERS}",
                f"--request_codec={request}", f"--reply_codec={reply}", "--evaluate_every=1s",
                f"--max_steps_per_second={pace}", f"--learning_rate={rate}",
            ], stdout=log, stderr=log)
        began = None
        first = {}
        deadline = time.monotonic() + options.patience
        while time.monotonic() < deadline:
            statuses = [status_of(peer) for peer in range(PEERS)]
            now = time.monotonic()
            steps = [number(each, "training", "step") for each in statuses]
            if began is None and min(steps) >= 1:
                began, first = now, list(steps)
            if began is not None:
                reached = [number(each, "training", "test_accuracy") for each in statuses]
                if min(reached) >= options.accuracy:
                    pace = (steps[0] - first[0]) / (now - began)
                    sent = sum(number(each, "gossip", "bytes_sent") for each in statuses)
                    return {"seconds": now - began, "steps": steps[0], "rate": pace,
                            "sent_mb": sent / PEERS / 1e6}
            time.sleep(0.4)
        for peer in range(PEERS):
            with open(f"{logs}/peer{peer}.log", encoding="utf-8") as log:
                print(log.read()[-2000:], file=sys.stderr)
        return None


def run_ddp(options, slowed):
    with Processes() as processes:
        first = None
        for peer in range(PEERS):
            pace = options.pace / 4 if slowed and peer == PEERS - 1 else options.pace
            child = processes.start(peer, [
                "/usr/bin/python3", os.path.abspath(__file__), "--worker", str(peer),
                "--pace", str(pace), "--accuracy", str(options.accuracy),
                "--patience", str(options.patience), "--scale", str(options.scale),
            ], stdout=subprocess.PIPE if peer == 0 else subprocess.DEVNULL, text=True)
            first = first or child
        line = first.stdout.readline()
        return json.loads(line) if line.strip() else None


def read_images(name):
    import torch
    with gzip.open(f"{DATA}/{name}-images-idx3-ubyte.gz") as file:
        images = torch.frombuffer(bytearray(file.read()[16:]), dtype=torch.uint8)
    with gzip.open(f"{DATA}/{name}-labels-idx1-ubyte.gz") as file:
        labels = torch.frombuffer(bytearray(file.read()[8:]), dtype=torch.uint8)
    return images.view(-1, 784).float() / 255, labels.long()


def ddp_worker(options):
    import torch
    rank = options.worker
    os.environ.update(MASTER_ADDR=address(0), MASTER_PORT="29500", GLOO_SOCKET_IFNAME="eth0")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=PEERS)
    images, labels = read_images("train")
    test_images, test_labels = read_images("t10k")
    mean, deviation = images.mean(), images.std()
    images, test_images = (images - mean) / deviation, (test_images - mean) / deviation
    mine = torch.arange(rank, len(images), PEERS)
    network = torch.nn.Sequential(
        torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU(),
        torch.nn.Linear(128, 10))
    model = torch.nn.parallel.DistributedDataParallel(network)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01 * options.scale, momentum=0.9,
                                nesterov=True)
    loss_of = torch.nn.CrossEntropyLoss()
    elapsed, step, evaluated = 0.0, 0, 0.0
    done = torch.zeros(1)
    while elapsed < options.patience:
        began = time.monotonic()
        batch = mine[torch.randint(len(mine), (32,))]
        optimizer.zero_grad()
        loss_of(model(images[batch]), labels[batch]).backward()
        optimizer.step()
        step += 1
        time.sleep(max(0.0, 1 / options.pace - (time.monotonic() - began)))
        elapsed += time.monotonic() - began
        if step == 1:
            elapsed = 0.0
        # All ranks evaluate after the same steps; nobody's clock runs meanwhile.
        if step % 25 == 0:
            if rank == 0:
                with torch.no_grad():
                    right = (network(test_images).argmax(1) == test_labels).float().mean()
                done[0] = 1.0 if right >= options.accuracy else 0.0
            torch.distributed.broadcast(done, 0)
            if done[0] > 0:
                break
    if rank == 0 and done[0] > 0:
        sent = step * 2 * (PEERS - 1) / PEERS * 235146 * 4 / 1e6
        print(json.dumps({"seconds": elapsed, "steps": step, "rate": step / elapsed,
                          "sent_mb": sent}), flush=True)
    torch.distributed.barrier()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="20,100,1000", help="Mbit/s of each link")
    parser.add_argument("--slowed", default="no", help="no, yes, or no,yes")
    parser.add_argument("--contestants", default=",".join(CONTESTANTS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pace", type=float, default=50, help="steps a second of one peer")
    parser.add_argument("--accuracy", type=float, default=0.85)
    parser.add_argument("--patience", type=float, default=900, help="seconds of one run at most")
    parser.add_argument("--scale", type=float, default=4)
    parser.add_argument("--json", default="", help="file for all results")
    parser.add_argument("--worker", type=int, default=-1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker >= 0:
        ddp_worker(options)
        return
    if os.geteuid() != 0:
        sys.exit("time_to_accuracy.py: network namespaces need root")
    atexit.register(unmake_network)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    results = []
    print(f"{'Mbit/s':>7} {'slowed':>6}  {'contestant':<26} {'seconds':>8} {'(runs)':<20} "
          f"{'steps/s':>8} {'MB sent':>8}", flush=True)
    for mbit in [int(rate) for rate in options.rates.split(",")]:
        make_network(mbit)
        for slowed in [word == "yes" for word in options.slowed.split(",")]:
            for name in options.contestants.split(","):
                runs = []
                for _ in range(options.runs):
                    contestant = CONTESTANTS[name]
                    result = (run_ours(contestant, options, slowed) if contestant
                              else run_ddp(options, slowed))
                    if result:
                        runs.append(result)
                        results.append({"mbit": mbit, "slowed": slowed, "contestant": name,
                                        **result})
                if not runs:
                    print(f"{mbit:>7} {'yes' if slowed else 'no':>6}  {name:<26} "
                          f"not within {options.patience:g} s", flush=True)
                    continue
                median = {key: statistics.median(each[key] for each in runs) for key in runs[0]}
                each = " ".join(f"{one['seconds']:.1f}" for one in runs)
                print(f"{mbit:>7} {'yes' if slowed else 'no':>6}  {name:<26} "
                      f"{median['seconds']:>8.1f} {'(' + each + ')':<20} {median['rate']:>8.1f} "
                      f"{median['sent_mb']:>8.1f}", flush=True)
    json_rows.write(options.json, "time_to_accuracy", results)


if __name__ == "__main__":
    main()
