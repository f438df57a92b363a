"""The protocol buffer rules built into Bazel, under the names that Bazel's own BUILD files load."""

proto_lang_toolchain = native.proto_lang_toolchain
proto_library = native.proto_library
