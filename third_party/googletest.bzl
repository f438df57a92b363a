"""GoogleTest and GoogleMock. Targets: @googletest//:gtest, and @googletest//:gtest_main with a main()."""

load("//third_party:system_library.bzl", "system_library")

def googletest():
    system_library(
        name = "googletest",
        package = "libgtest-dev and libgmock-dev",
        libraries = {
            "gtest": ["gmock", "gtest"],
            "gtest_main": ["gmock_main", "gmock", "gtest"],
        },
    )
