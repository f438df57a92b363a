#include "peer/runtime/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "peer/runtime/nearest_name.h"

namespace starling {

std::atomic<int> armed_failpoint{-1};

namespace {

// As armed; constant afterwards, but for the hits that are left.
int armed_signal = 0;
std::atomic<int64_t> hits_to_pass{0};

}  // namespace

void ReachFailpoint(int index) {
  if (hits_to_pass.fetch_sub(1) > 0) return;
  if (armed_failpoint.exchange(-1) < 0) return;
  const std::string line = absl::StrCat("failpoint ", kFailpoints[index].name, ": ",
                                        armed_signal == SIGKILL ? "kill" : "stop", "\n");
  // Past the log, of which nothing would be written any more.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
  ::raise(armed_signal);
}

absl::Status ArmFailpoint(absl::string_view spec) {
  if (spec.empty()) return absl::OkStatus();
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(spec, absl::MaxSplits('=', 1));
  const std::pair<std::string, std::string> action =
      absl::StrSplit(parts.second, absl::MaxSplits(':', 1));
  int index = 0;
  while (index < kFailpointCount && parts.first != kFailpoints[index].name) ++index;
  if (index == kFailpointCount) {
    std::vector<std::string> names;
    for (const FailpointRow& row : kFailpoints) names.emplace_back(row.name);
    return UnknownNameError("failpoint", parts.first, names);
  }
  if (action.first != "kill" && action.first != "stop") {
    return absl::InvalidArgumentError(absl::StrCat("--failpoint=", spec, ": \"", action.first,
                                                   "\" is not one of kill, stop"));
  }
  int64_t hits = 0;
  absl::string_view count = action.second;
  if (!count.empty() &&
      !(absl::ConsumePrefix(&count, "after=") && absl::SimpleAtoi(count, &hits) && hits >= 0)) {
    return absl::InvalidArgumentError(absl::StrCat("--failpoint=", spec, ": \"", action.second,
                                                   "\" is not after=N, the hits to let pass"));
  }
  armed_signal = action.first == "kill" ? SIGKILL : SIGSTOP;
  hits_to_pass = hits;
  armed_failpoint = index;
  return absl::OkStatus();
}

}  // namespace starling
