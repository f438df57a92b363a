"""Google Benchmark. Target: @benchmark//:benchmark."""

load("//third_party:system_library.bzl", "system_library")

def benchmark():
    system_library(
        name = "benchmark",
        package = "libbenchmark-dev",
        libraries = {"benchmark": ["benchmark"]},
    )
