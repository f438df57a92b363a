#include "peer/cli/chaos_event.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "peer/cli/words.h"
#include "peer/runtime/nearest_name.h"

namespace starling {
namespace {

constexpr char kAll[] = "all";

}  // namespace

std::vector<ChaosEvent> AllChaosEvents(absl::Duration partition, double patience) {
  const auto watch = [&](int seconds) { return patience * absl::Seconds(seconds); };
  const std::string partitioned = absl::StrCat("partition ", absl::ToInt64Seconds(partition), " s");
  return {
      {"kill", "kill -9", ChaosFault::kKill, absl::ZeroDuration(), watch(12)},
      {"freeze2", "freeze 2 s", ChaosFault::kFreeze, absl::Seconds(2), watch(12)},
      {"freeze15", "freeze 15 s", ChaosFault::kFreeze, absl::Seconds(15), watch(12)},
      {"partition", partitioned, ChaosFault::kPartition, partition, watch(35)},
      {"slowlink", "slow link", ChaosFault::kSlowLink, absl::Seconds(15), watch(10)},
      {"loss", "packet loss 10 %", ChaosFault::kPacketLoss, absl::Seconds(15), watch(10)},
      {"coordinator", "coordinator killed", ChaosFault::kCoordinatorKill, absl::Seconds(5),
       watch(15)},
      {"join", "join", ChaosFault::kJoin, absl::ZeroDuration(), watch(15)},
  };
}

absl::StatusOr<std::vector<ChaosEvent>> PickChaosEvents(const std::vector<ChaosEvent>& all,
                                                        absl::string_view list) {
  if (list == kAll) return all;
  std::vector<std::string> known = {kAll};
  for (const ChaosEvent& event : all) known.push_back(event.name);
  std::set<std::string> wanted;
  for (absl::string_view word : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    const absl::string_view name = absl::StripAsciiWhitespace(word);
    if (name == kAll || std::find(known.begin(), known.end(), name) == known.end()) {
      return UnknownNameError("fault", name, known);
    }
    wanted.insert(std::string(name));
  }
  if (wanted.empty()) {
    return absl::InvalidArgumentError("--events names no fault; --events=all runs every one");
  }
  std::vector<ChaosEvent> picked;
  for (const ChaosEvent& event : all) {
    if (wanted.count(event.name) > 0) picked.push_back(event);
  }
  return picked;
}

absl::StatusOr<double> ChaosPatience(absl::string_view preset) {
  if (preset == "fast") return 1;
  if (preset == "lan") return 2;
  if (preset == "wan") return 6;
  return UnknownNameError("preset", preset, {"fast", "lan", "wan"});
}

}  // namespace starling
