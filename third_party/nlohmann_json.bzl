"""JSON for Modern C++. Target: @nlohmann_json//:json."""

load("//third_party:system_library.bzl", "system_library")

def nlohmann_json():
    system_library(
        name = "nlohmann_json",
        package = "nlohmann-json3-dev",
        libraries = {"json": ["nlohmann_json"]},
    )
