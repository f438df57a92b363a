"""The standard health service, grpc.health.v1, from Debian's copy of its .proto.

Target: @grpc_health//:health_cc_grpc, `#include "grpc/health/v1/health.grpc.pb.h"`.
"""

load("//third_party:system_library.bzl", "missing")

_PROTO = "grpc/health/v1/health.proto"

_BUILD = """load("@starling//third_party:proto.bzl", "starling_proto_library")

starling_proto_library(
    name = "health",
    srcs = ["{}"],
    visibility = ["//visibility:public"],
)
""".format(_PROTO)

def _grpc_health_impl(repository_ctx):
    installed = "/usr/share/grpc-proto/" + _PROTO
    if not repository_ctx.path(installed).exists:
        missing(repository_ctx, installed)
    repository_ctx.symlink(installed, _PROTO)
    repository_ctx.file("BUILD.bazel", _BUILD)

_grpc_health = repository_rule(
    implementation = _grpc_health_impl,
    local = True,
    attrs = {"package": attr.string(default = "grpc-proto")},
)

def grpc_health():
    _grpc_health(name = "grpc_health")
