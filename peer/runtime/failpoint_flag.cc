#include "peer/runtime/failpoint_flag.h"

#include <string>

#include "absl/flags/flag.h"
#include "peer/runtime/failpoint.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, failpoint, "",
          "for tests: NAME=kill or NAME=stop, and :after=N to let N hits pass; the process gets SIGKILL or "
          "SIGSTOP when it reaches that step");

namespace starling {

absl::Status ArmFailpointFromFlag() {
  const std::string spec = absl::GetFlag(FLAGS_failpoint);
  if (absl::Status armed = ArmFailpoint(spec); !armed.ok()) return armed;
  if (!spec.empty()) spdlog::warn("armed for a test: this process will fail at {}", spec);
  return absl::OkStatus();
}

}  // namespace starling
