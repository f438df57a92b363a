"""Boost.Asio and what it needs, all of it in headers. Target: @boost//:asio."""

load("//third_party:system_library.bzl", "system_library")

def boost():
    system_library(
        name = "boost",
        package = "libboost1.81-dev",
        headers = ["boost/asio.hpp"],
        libraries = {"asio": []},
        linkopts = {"asio": ["-pthread"]},
    )
