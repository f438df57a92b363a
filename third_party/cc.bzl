"""cc_library, cc_binary and cc_test as this project uses them: strict about our own code.

The language standard and the optimisation level are in .bazelrc; here is what applies to the files of
this project and not to generated or foreign ones.
"""

_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wnon-virtual-dtor",
    # Sizes from protobuf and LibTorch are signed, those of the standard library are not.
    "-Wno-sign-compare",
    # Designated initialisers name what differs from the defaults; that is their point.
    "-Wno-missing-field-initializers",
]

def starling_cc_library(copts = [], **kwargs):
    native.cc_library(copts = _COPTS + copts, **kwargs)

def starling_cc_binary(copts = [], **kwargs):
    native.cc_binary(copts = _COPTS + copts, **kwargs)

def starling_cc_test(copts = [], deps = [], size = "small", main = True, **kwargs):
    """A test with GoogleTest; `main = False` when it has a main() of its own."""
    googletest = "@googletest//:gtest_main" if main else "@googletest//:gtest"
    native.cc_test(
        copts = _COPTS + copts,
        size = size,
        deps = deps + [googletest],
        **kwargs
    )
