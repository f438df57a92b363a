// The run configuration outside of any actor: read from a file, completed, checked, and hashed into
// the id of the run. Pure functions apart from LoadRunConfig, which reads one file.

#ifndef STARLING_PEER_RUNTIME_RUN_CONFIG_H_
#define STARLING_PEER_RUNTIME_RUN_CONFIG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peer/runtime/ids.h"
#include "proto/run.pb.h"

namespace starling {

// What two peers compare to find out whether they train the same network: XXH3-64 of the
// deterministic serialisation, with data.directory left out and the algorithm's options sorted by
// name. Never 0. Completed and uncompleted configurations differ, so complete first.
RunId RunIdOf(const v1::RunConfig& config);

// Reads protobuf text format. Nothing is completed or range-checked.
// NOT_FOUND: no such file. PERMISSION_DENIED: it cannot be read. INVALID_ARGUMENT: it is not a
// RunConfig ("FILE:LINE:COLUMN: what is wrong").
absl::StatusOr<v1::RunConfig> LoadRunConfig(const std::string& path);

// Fills in what was left out: every default that proto/run.proto states, apart from those that
// belong to one optimizer or algorithm and are filled in there. Sorts the algorithm's options.
// Idempotent.
v1::RunConfig WithDefaults(v1::RunConfig config);

// Checks a completed configuration for what can be told without knowing models, data sets or
// algorithms. INVALID_ARGUMENT names the field, its value and what is allowed.
absl::Status ValidateRunConfig(const v1::RunConfig& config);

// Parses "NAME" or "NAME:option=value,option=value"; a value is a decimal or a fraction such as
// 1/8. Options come out sorted. INVALID_ARGUMENT quotes the part that is wrong; `algorithm` is then
// unchanged.
absl::Status ParseAlgorithm(absl::string_view text, v1::AlgorithmConfig* algorithm);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_RUN_CONFIG_H_
