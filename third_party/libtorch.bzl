"""LibTorch. Target: @libtorch//:torch.

Taken from $LIBTORCH when that is set: an unpacked LibTorch distribution, or the `torch` directory of a
Python installation (`python3 -c 'import torch; print(torch.__path__[0])'`). Otherwise from Debian's
package libtorch-dev. Binaries remember where $LIBTORCH was, so they run without LD_LIBRARY_PATH.

Its headers are system headers to the compiler in both cases: their warnings are not ours.
"""

load("//third_party:system_library.bzl", "link_as_needed", "missing")

_BUILD = """package(default_visibility = ["//visibility:public"])

# {origin}
cc_library(
    name = "torch",
    hdrs = {hdrs},
    includes = {includes},
    linkopts = {linkopts},
)
"""

# Operators register themselves when a library is loaded, so all are kept, referred to or not.
def _linkopts(libraries, directories):
    flags = ["-Wl,--push-state,--no-as-needed"]
    for directory in directories:
        flags += ["-L" + directory, "-Wl,-rpath," + directory]
    return flags + ["-l" + library for library in libraries] + ["-Wl,--pop-state"]

def _from_directory(repository_ctx, root):
    if not root.startswith("/"):
        fail("@libtorch: $LIBTORCH is {}; it must be an absolute path".format(root))
    for file in ["include/torch/csrc/api/include/torch/torch.h", "lib/libtorch_cpu.so"]:
        if not repository_ctx.path(root + "/" + file).exists:
            fail(("@libtorch: $LIBTORCH is {} but there is no {} in it; name an unpacked LibTorch or a " +
                  "Python torch package, or unset it to use Debian's").format(root, file))

    config = repository_ctx.path(root + "/share/cmake/Torch/TorchConfig.cmake")
    if config.exists and "_GLIBCXX_USE_CXX11_ABI=0" in repository_ctx.read(config):
        fail(("@libtorch: $LIBTORCH is {}, built for the C++ ABI before C++11, which cannot be linked " +
              "with Debian's libraries; use a 'cxx11 ABI' LibTorch").format(root))

    repository_ctx.symlink(root + "/include", "include")
    libraries = ["torch", "torch_cpu", "c10"]
    for library in ["torch_cuda", "c10_cuda"]:
        if repository_ctx.path("{}/lib/lib{}.so".format(root, library)).exists:
            libraries.append(library)
    return _BUILD.format(
        origin = "$LIBTORCH: " + root,
        hdrs = repr(["include"]),
        includes = repr(["include", "include/torch/csrc/api/include"]),
        linkopts = repr(_linkopts(libraries, [root + "/lib"])),
    )

def _from_system(repository_ctx):
    api = "/usr/include/torch/csrc/api/include"
    if not repository_ctx.path(api + "/torch/torch.h").exists:
        missing(repository_ctx, "<torch/torch.h>")
    repository_ctx.symlink(api, "include")
    return _BUILD.format(
        origin = "Debian's libtorch-dev",
        hdrs = repr(["include"]),
        includes = repr(["include"]),
        # The headers of Debian's build log with glog.
        linkopts = repr(_linkopts(["torch", "torch_cpu", "c10"], []) + link_as_needed(["-lglog"])),
    )

def _libtorch_impl(repository_ctx):
    root = repository_ctx.os.environ.get("LIBTORCH", "").rstrip("/")
    if root:
        build = _from_directory(repository_ctx, root)
    else:
        build = _from_system(repository_ctx)
    repository_ctx.file("BUILD.bazel", build)

_libtorch = repository_rule(
    implementation = _libtorch_impl,
    local = True,
    environ = ["LIBTORCH"],
    attrs = {"package": attr.string(default = "libtorch-dev")},
)

def libtorch():
    _libtorch(name = "libtorch")
