"""Protocol buffers and gRPC services for C++, generated with the system's protoc.

starling_proto_library(name = "x", srcs = [...]) makes

* `x_cc_proto`: the messages, `#include "path/file.pb.h"`;
* `x_cc_grpc`: the services (and the messages), `#include "path/file.grpc.pb.h"`;

where `path` is the package of the BUILD file. A .proto imports another by its path from the root of
the repository, as a C++ file would include it.
"""

ProtoSources = provider(
    doc = "The .proto files of a target.",
    fields = {
        "files": "depset of File: those of the target and of all it depends on",
        "roots": "depset of str: the directories that imports start from",
    },
)

def _root(label):
    """The directory, seen from the execution root, that holds the repository of `label`."""
    return label.workspace_root or "."

def _proto_sources_impl(ctx):
    infos = [dep[ProtoSources] for dep in ctx.attr.deps]
    return [
        DefaultInfo(files = depset(ctx.files.srcs)),
        ProtoSources(
            files = depset(ctx.files.srcs, transitive = [info.files for info in infos]),
            roots = depset([_root(ctx.label)], transitive = [info.roots for info in infos]),
        ),
    ]

_proto_sources = rule(
    implementation = _proto_sources_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"], allow_empty = False),
        "deps": attr.label_list(providers = [ProtoSources]),
    },
)

def _generated_impl(ctx):
    sources = ctx.attr.sources[DefaultInfo].files.to_list()
    info = ctx.attr.sources[ProtoSources]
    infix = ".grpc.pb" if ctx.attr.services else ".pb"
    package = ctx.label.package + "/" if ctx.label.package else ""
    root = "" if _root(ctx.label) == "." else _root(ctx.label) + "/"

    headers = []
    implementations = []
    for source in sources:
        stem = source.path[len(root) + len(package):-len(".proto")]
        headers.append(ctx.actions.declare_file(stem + infix + ".h"))
        implementations.append(ctx.actions.declare_file(stem + infix + ".cc"))

    out = (ctx.bin_dir.path + "/" + root).rstrip("/")
    arguments = ctx.actions.args()
    arguments.add_all(info.roots, format_each = "--proto_path=%s")
    if ctx.attr.services:
        arguments.add(ctx.executable._grpc_cpp_plugin, format = "--plugin=protoc-gen-grpc=%s")
        arguments.add(out, format = "--grpc_out=%s")
    else:
        arguments.add(out, format = "--cpp_out=%s")
    arguments.add_all([source.path[len(root):] for source in sources])
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [arguments],
        inputs = info.files,
        tools = [ctx.executable._grpc_cpp_plugin] if ctx.attr.services else [],
        outputs = headers + implementations,
        mnemonic = "Protoc",
        progress_message = "Generating C++ from the protos of %s" % ctx.attr.sources.label,
    )
    return [
        DefaultInfo(files = depset(headers + implementations)),
        OutputGroupInfo(hdrs = depset(headers), srcs = depset(implementations)),
    ]

_generated = rule(
    implementation = _generated_impl,
    attrs = {
        "sources": attr.label(providers = [ProtoSources], mandatory = True),
        "services": attr.bool(doc = "Generate gRPC services rather than messages."),
        "_protoc": attr.label(
            default = "@protobuf//:protoc",
            allow_single_file = True,
            executable = True,
            cfg = "exec",
        ),
        "_grpc_cpp_plugin": attr.label(
            default = "@grpc//:grpc_cpp_plugin",
            allow_single_file = True,
            executable = True,
            cfg = "exec",
        ),
    },
)

def _generated_library(name, sources, services, deps, visibility):
    generated = "_" + name
    _generated(name = generated + "_files", sources = sources, services = services)
    for group in ["hdrs", "srcs"]:
        native.filegroup(
            name = generated + "_" + group,
            srcs = [generated + "_files"],
            output_group = group,
        )
    native.cc_library(
        name = name,
        srcs = [generated + "_srcs"],
        hdrs = [generated + "_hdrs"],
        copts = ["-w"],
        visibility = visibility,
        deps = deps,
    )

def starling_proto_library(name, srcs, deps = [], visibility = None):
    """C++ for .proto files.

    Args:
      name: prefix of the targets made: `<name>_cc_proto` for messages, `<name>_cc_grpc` for services.
      srcs: the .proto files.
      deps: other starling_proto_library names (as labels) whose files `srcs` import.
      visibility: of the targets made.
    """
    _proto_sources(
        name = name,
        srcs = srcs,
        visibility = visibility,
        deps = deps,
    )
    _generated_library(
        name = name + "_cc_proto",
        sources = name,
        services = False,
        deps = [dep + "_cc_proto" for dep in deps] + ["@protobuf//:protobuf"],
        visibility = visibility,
    )
    _generated_library(
        name = name + "_cc_grpc",
        sources = name,
        services = True,
        deps = [dep + "_cc_grpc" for dep in deps] + [name + "_cc_proto", "@grpc//:grpc++"],
        visibility = visibility,
    )
