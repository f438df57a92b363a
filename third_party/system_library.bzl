"""One repository rule for every C++ library that comes from the operating system.

It asks pkg-config how the library is compiled and linked, and writes a BUILD file of cc_library
targets that say so. Nothing is downloaded. When the library is missing, the build stops with one line
that names the Debian package and `deploy/setup`.

Only what belongs to the operating system is used (/usr/bin, never $PATH), so that a Conda or pyenv in
somebody's shell does not mix its libraries with Debian's. $PKG_CONFIG_PATH is honoured.
"""

_PKG_CONFIG = "/usr/bin/pkg-config"

# Compilers search these by themselves; naming them again would disturb the order of #include_next.
_DEFAULT_INCLUDE_DIRS = ["/usr/include", "/usr/local/include"]

def missing(repository_ctx, what):
    """Stops the build: `what` is needed and Debian's package `repository_ctx.attr.package` has it."""
    fail("@{}: {} not found; it is in Debian's package {}: run deploy/setup".format(
        repository_ctx.name,
        what,
        repository_ctx.attr.package,
    ))

def _pkg_config(repository_ctx, arguments):
    """What pkg-config prints, or None when it does not know a module."""
    if not repository_ctx.path(_PKG_CONFIG).exists:
        fail("@{}: {} not found; it is in Debian's package pkg-config: run deploy/setup".format(
            repository_ctx.name,
            _PKG_CONFIG,
        ))
    result = repository_ctx.execute([_PKG_CONFIG] + arguments)
    return result.stdout if result.return_code == 0 else None

def _flags(repository_ctx, kind, modules):
    """The words of `pkg-config --cflags` or `--libs`."""
    if not modules:
        return []
    output = _pkg_config(repository_ctx, [kind] + modules)
    if output == None:
        missing(repository_ctx, "pkg-config module " + " or ".join(modules))
    return [word for word in output.replace("\n", " ").split(" ") if word]

def _modules(repository_ctx, pattern):
    """The modules that `pattern` names: itself, or every one with the prefix before a final '*'."""
    if not pattern.endswith("*"):
        return [pattern]
    listed = _pkg_config(repository_ctx, ["--list-all"]) or ""
    names = [line.split(" ")[0] for line in listed.split("\n")]
    found = sorted([name for name in names if name.startswith(pattern[:-1])])
    if not found:
        missing(repository_ctx, "pkg-config module " + pattern)
    return found

def _unique_libraries(flags):
    """Drops repeated -l flags, keeping the last of each: the order a linker needs for archives."""
    seen = {}
    kept = []
    for flag in reversed(flags):
        if flag.startswith("-l"):
            if flag in seen:
                continue
            seen[flag] = True
        kept.append(flag)
    return reversed(kept)

def link_as_needed(flags):
    """`flags`, with libraries that turn out not to be used left out of the binary."""
    if not flags:
        return []
    return ["-Wl,--push-state,--as-needed"] + flags + ["-Wl,--pop-state"]

def _library(repository_ctx, name, patterns):
    modules = []
    for pattern in patterns:
        modules += _modules(repository_ctx, pattern)
    compile_flags = _flags(repository_ctx, "--cflags", modules)
    link_flags = repository_ctx.attr.linkopts.get(name, [])
    link_flags = link_flags + _flags(repository_ctx, "--libs", modules)
    defines = [flag[2:] for flag in compile_flags if flag.startswith("-D")]

    includes = []
    for flag in compile_flags:
        directory = flag[2:]
        if flag.startswith("-I") and directory not in _DEFAULT_INCLUDE_DIRS:
            link = "include/" + directory.strip("/").replace("/", "_")
            if link not in includes:
                includes.append(link)
                if not repository_ctx.path(link).exists:
                    repository_ctx.symlink(directory, link)

    return """
cc_library(
    name = {name},
    hdrs = {includes},
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
    deps = {deps},
)
""".format(
        name = repr(name),
        defines = repr(defines),
        deps = repr(repository_ctx.attr.deps.get(name, [])),
        includes = repr(includes),
        linkopts = repr(link_as_needed(_unique_libraries(link_flags))),
    )

def _system_library_impl(repository_ctx):
    for header in repository_ctx.attr.headers:
        if not repository_ctx.path("/usr/include/" + header).exists:
            missing(repository_ctx, "<{}>".format(header))

    build = 'package(default_visibility = ["//visibility:public"])\n'
    for tool in repository_ctx.attr.tools:
        path = "/usr/bin/" + tool
        if not repository_ctx.path(path).exists:
            missing(repository_ctx, path)
        repository_ctx.symlink(path, tool)
        build += "\nexports_files([{}])\n".format(repr(tool))
    for name, patterns in repository_ctx.attr.libraries.items():
        build += _library(repository_ctx, name, patterns)
    repository_ctx.file("BUILD.bazel", build)

system_library = repository_rule(
    implementation = _system_library_impl,
    doc = "A repository of cc_library targets (and tools) for a library of the operating system.",
    local = True,
    environ = ["PKG_CONFIG_PATH"],
    attrs = {
        "package": attr.string(
            doc = "The Debian package to name when something is missing.",
            mandatory = True,
        ),
        "libraries": attr.string_list_dict(
            doc = "Target name -> its pkg-config modules; a final '*' takes all with that prefix.",
        ),
        "linkopts": attr.string_list_dict(
            doc = "Target name -> flags before those of pkg-config, for what pkg-config does not know.",
        ),
        "deps": attr.string_list_dict(
            doc = "Target name -> the labels it needs.",
        ),
        "headers": attr.string_list(
            doc = "Headers below /usr/include that must exist, for libraries unknown to pkg-config.",
        ),
        "tools": attr.string_list(
            doc = "Programs in /usr/bin to export under their own names.",
        ),
    },
)
