"""What an all-reduce of so many MiB takes with gloo: prints the seconds of each round.

    /usr/bin/python3 tests/bench/gloo_allreduce.py RANKS MIB ROUNDS      (Debian's python3-torch)
"""

import os
import socket
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing


def rank_main(rank, ranks, mib, rounds, port):
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    os.environ["MASTER_PORT"] = str(port)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    tensor = torch.ones(mib * 2**18)
    for _ in range(rounds + 1):
        torch.distributed.barrier()
        begin = time.monotonic()
        torch.distributed.all_reduce(tensor)
        tensor /= ranks
        took = time.monotonic() - begin
        if rank == 0:
            print(f"{took:.6f}", flush=True)
    torch.distributed.barrier()


def main():
    ranks, mib, rounds = (int(argument) for argument in sys.argv[1:4])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(rank_main, (ranks, mib, rounds, port), nprocs=ranks)


if __name__ == "__main__":
    main()
