"""zlib, for gzipped data sets. Target: @zlib//:zlib."""

load("//third_party:system_library.bzl", "system_library")

def zlib():
    system_library(
        name = "zlib",
        package = "zlib1g-dev",
        libraries = {"zlib": ["zlib"]},
    )
