"""Abseil: Status, flags, time, strings, containers, synchronisation. Target: @absl//:absl, the whole of it."""

load("//third_party:system_library.bzl", "system_library")

def absl():
    system_library(
        name = "absl",
        package = "libabsl-dev",
        libraries = {"absl": ["absl_*"]},
    )
