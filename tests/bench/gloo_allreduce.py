"""What an all-reduce of so many MiB takes with gloo. Says "ready", then, for each byte that it reads, makes one and
prints its seconds; ends with its standard input.

    /usr/bin/python3 tests/bench/gloo_allreduce.py RANKS MIB      (Debian's python3-torch)
"""

import os
import socket
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing


def join(rank, ranks, port):
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    os.environ["MASTER_PORT"] = str(port)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)


def all_reduce(tensor, ranks):
    torch.distributed.barrier()
    begin = time.monotonic()
    torch.distributed.all_reduce(tensor)
    tensor /= ranks
    return time.monotonic() - begin


# The first rank says with each barrier that there is another round; its end ends the others.
def follow(rank, ranks, mib, port):
    join(rank, ranks, port)
    tensor = torch.ones(mib * 2**18)
    try:
        while True:
            all_reduce(tensor, ranks)
    except RuntimeError:
        pass


def main():
    ranks, mib = (int(argument) for argument in sys.argv[1:3])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = torch.multiprocessing.get_context("spawn")
    for rank in range(1, ranks):
        context.Process(target=follow, args=(rank, ranks, mib, port), daemon=True).start()
    join(0, ranks, port)
    tensor = torch.ones(mib * 2**18)
    print("ready", flush=True)
    while sys.stdin.buffer.raw.read(1):
        print(f"{all_reduce(tensor, ranks):.6f}", flush=True)


if __name__ == "__main__":
    main()
