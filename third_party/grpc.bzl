"""gRPC for C++. Targets: @grpc//:grpc++, @grpc//:reflection; tool: @grpc//:grpc_cpp_plugin."""

load("//third_party:system_library.bzl", "system_library")

def grpc():
    system_library(
        name = "grpc",
        package = "libgrpc++-dev and protobuf-compiler-grpc",
        deps = {"reflection": [":grpc++"]},
        libraries = {
            "grpc++": ["grpc++"],
            "reflection": [],
        },
        # A static initialiser in it is all that is used, so no symbol would keep it linked.
        linkopts = {"reflection": ["-Wl,--no-as-needed", "-lgrpc++_reflection"]},
        tools = ["grpc_cpp_plugin"],
    )
