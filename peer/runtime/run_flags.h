// The flags that describe a training run, shared by every program that may start one: peerd,
// coordinatord and starling. Each overrides one field of the configuration file given by --config.
//
// The flags are defined in run_flags.cc; a program that links this target has them all.

#ifndef STARLING_PEER_RUNTIME_RUN_FLAGS_H_
#define STARLING_PEER_RUNTIME_RUN_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/run.pb.h"

namespace starling {

// File, then flags, then defaults, checked. Call after the command line was parsed.
// NOT_FOUND, PERMISSION_DENIED: the file (named). FAILED_PRECONDITION: the file does not parse or
// says something out of range. INVALID_ARGUMENT: a flag does.
absl::StatusOr<v1::RunConfig> RunConfigFromFlags();

// True if --config or any override was given, --data_dir aside: the user insists on something.
bool AnyRunFlagSet();

// What the user insists on, for JoinRequest.expect_model and expect_algorithm: the name from the
// flag, else from the file, else empty. Errors as RunConfigFromFlags.
struct RunExpectations {
  std::string model;
  std::string algorithm;
};
absl::StatusOr<RunExpectations> RunExpectationsFromFlags();

// Where this machine keeps the files of the data set (--data_dir), else empty. Never part of what
// peers must agree on.
std::string DataDirectoryFromFlags();

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_RUN_FLAGS_H_
