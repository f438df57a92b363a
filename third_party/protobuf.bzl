"""Protocol buffers. Target: @protobuf//:protobuf; tool: @protobuf//:protoc."""

load("//third_party:system_library.bzl", "system_library")

def protobuf():
    system_library(
        name = "protobuf",
        package = "libprotobuf-dev and protobuf-compiler",
        libraries = {"protobuf": ["protobuf"]},
        tools = ["protoc"],
    )
