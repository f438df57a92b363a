"""xxHash, for fingerprints and checksums. Target: @xxhash//:xxhash."""

load("//third_party:system_library.bzl", "system_library")

def xxhash():
    system_library(
        name = "xxhash",
        package = "libxxhash-dev",
        libraries = {"xxhash": ["libxxhash"]},
    )
