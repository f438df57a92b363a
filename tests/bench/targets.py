"""What the data path is to reach, and what a run of all.py measured of it.

Pure: from the results of the benchmarks, by name, to rows of a table. A figure that was not measured is "-", and
neither met nor missed.
"""

AT_MOST, AT_LEAST = "at most", "at least"
MEMORY_MIB = 256
# Others' shards that wait for the trainer, frames received and not yet handled, buffers kept for the next exchange:
# docs/performance.md, "Memory".
WINDOWS_MIB = 256 + 64 + 64


def find(rows, **wanted):
    """The one row with these values; None if there is none."""
    return next((row for row in rows or [] if all(row.get(key) == value for key, value in wanted.items())), None)


def of(rows, key, **wanted):
    row = find(rows, **wanted)
    return None if row is None else row.get(key)


def exchange(key, case):
    return lambda results: of(results.get("exchange"), key, mib=64, case=case)


def trainer(key, case):
    return lambda results: of(results.get("trainer_overhead"), key, case=case)


def codec(what):
    def ratio(results):
        def rate(name):
            return of(results.get("codecs"), "bytes_per_second", aggregate_name="median", name=name)

        names = [row["name"] for row in results.get("codecs", []) if row["name"].startswith(what + "/")
                 and row["name"].endswith("/64MiB_median")]
        copy = rate("memcpy/64MiB_median")
        # The best instruction set of the machine, which is the one that is used.
        return max(rate(name) for name in names) / copy if names and copy else None
    return ratio


def joining(key):
    return lambda results: of(results.get("joining"), key)


def memory(key):
    return lambda results: of(results.get("memory"), key, mib=MEMORY_MIB, codecs="fp32/fp32", path="same host")


def level(key):
    """The largest over the smallest, from 4 peers on: two cannot choose whom to ask."""
    def ratio(results):
        values = [row[key] for row in results.get("growth", []) if row["peers"] >= 4]
        return max(values) / min(values) if len(values) > 1 and min(values) > 0 else None
    return ratio


def mean(rows, key, **wanted):
    values = [row[key] for row in rows or [] if all(row.get(name) == value for name, value in wanted.items())]
    return sum(values) / len(values) if values else None


def sooner(results):
    rows = results.get("time_to_accuracy")
    ours = mean(rows, "seconds", mbit=20, slowed=False, contestant="elastic_gossip bf16/int8")
    ddp = mean(rows, "seconds", mbit=20, slowed=False, contestant="DDP over gloo")
    return ddp / ours if ours and ddp else None


def kept_while_one_is_slow(results):
    rows = results.get("time_to_accuracy")
    with_one = mean(rows, "rate", mbit=20, slowed=True, contestant="elastic_gossip bf16/int8")
    without = mean(rows, "rate", mbit=20, slowed=False, contestant="elastic_gossip bf16/int8")
    return with_one / without if with_one and without else None


TARGETS = [
    ("exchange of 64 MiB, fp32: time, of gloo's all-reduce", AT_MOST, 1, exchange("time_of_gloo", "fp32/fp32, same host")),
    ("the same: bytes/s, of a raw gRPC stream's", AT_LEAST, 0.7, exchange("rate_of_raw_grpc", "fp32/fp32, same host")),
    ("exchange of 64 MiB, bf16: time, of gloo's all-reduce", AT_MOST, 0.6, exchange("time_of_gloo", "bf16/bf16, same host")),
    ("steps/s with elastic_gossip, p = 1/32, fp32, of none's", AT_LEAST, 0.97,
     trainer("ratio", "elastic_gossip:p=1/32 fp32/fp32")),
    ("steps/s, p = 1/8, fp32", AT_LEAST, 0.9, trainer("ratio", "elastic_gossip:p=1/8 fp32/fp32")),
    ("steps/s, p = 1/8, bf16", AT_LEAST, 0.94, trainer("ratio", "elastic_gossip:p=1/8 bf16/bf16")),
    ("steps/s, p = 1, fp32", AT_LEAST, 0.5, trainer("ratio", "elastic_gossip:p=1 fp32/fp32")),
    ("training thread's time spent on gossip, p = 1/8", AT_MOST, 0.05,
     trainer("mixing_share", "elastic_gossip:p=1/8 fp32/fp32")),
    ("int8 encode, of memcpy", AT_LEAST, 0.5, codec("encode/int8")),
    ("int8 decode and mix, of memcpy", AT_LEAST, 0.5, codec("decode+mix/int8")),
    ("bf16 encode, of memcpy", AT_LEAST, 0.5, codec("encode/bf16")),
    ("bf16 decode and mix, of memcpy", AT_LEAST, 0.5, codec("decode+mix/bf16")),
    ("memory of who asks, fp32, 256 MiB, models over the bare trainer", AT_MOST, 2, memory("asks_models")),
    ("memory of who answers", AT_MOST, 2, memory("answers_models")),
    ("memory of who does both, 2 models and the windows", AT_MOST, 2 + WINDOWS_MIB / MEMORY_MIB, memory("both_models")),
    ("joining with 100 MiB from 4 donors, of a plain copy's time", AT_MOST, 2, joining("all_donors_of_copy")),
    ("donors' steps meanwhile", AT_LEAST, 0.9, joining("steps_kept")),
    ("bytes of an exchange from 4 to 32 peers, largest over smallest", AT_MOST, 1.1, level("bytes_per_exchange")),
    ("shards of an exchange, the same", AT_MOST, 1.1, level("shards_per_exchange")),
    ("20 Mbit/s: DDP's time to 85 % over ours", AT_LEAST, 5, sooner),
    ("20 Mbit/s: others' steps while one is slowed by 4", AT_LEAST, 0.95, kept_while_one_is_slow),
]


def table(results):
    """A list of (target, bound, measured, verdict), all text."""
    rows = []
    for name, side, bound, figure in TARGETS:
        value = figure(results)
        verdict = ""
        if value is not None:
            verdict = "met" if (value <= bound if side == AT_MOST else value >= bound) else "MISSED"
        rows.append((name, f"{side} {bound:g}", "-" if value is None else f"{value:.3g}", verdict))
    return rows
