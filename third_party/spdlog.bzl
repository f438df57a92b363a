"""spdlog, for logs. Target: @spdlog//:spdlog."""

load("//third_party:system_library.bzl", "system_library")

def spdlog():
    system_library(
        name = "spdlog",
        package = "libspdlog-dev",
        libraries = {"spdlog": ["spdlog"]},
    )
