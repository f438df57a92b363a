#include "peer/membership/options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

absl::Status Between(absl::string_view field, absl::Duration value, absl::Duration low,
                     absl::Duration high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, " is ", absl::FormatDuration(value), "; it must be between ",
      absl::FormatDuration(low), " and ", absl::FormatDuration(high)));
}

template <typename Number>
absl::Status Between(absl::string_view field, Number value, Number low, Number high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, "; it must be between ", low, " and ", high));
}

}  // namespace

MembershipOptions MembershipOptions::Fast() {
  MembershipOptions options;
  options.preset = "fast";
  options.ping_interval = absl::Milliseconds(500);
  options.ping_timeout = absl::Milliseconds(250);
  options.sync_interval = absl::Seconds(10);
  options.heal_interval = absl::Seconds(5);
  return options;
}

MembershipOptions MembershipOptions::Wan() {
  MembershipOptions options;
  options.preset = "wan";
  options.ping_interval = absl::Seconds(5);
  options.ping_timeout = absl::Seconds(3);
  options.suspicion_multiplier = 6;
  options.gossip_interval = absl::Milliseconds(500);
  return options;
}

absl::Duration MembershipOptions::SuspicionMin(size_t members) const {
  const double scale = std::max(1.0, std::log10(static_cast<double>(std::max<size_t>(1, members))));
  return suspicion_multiplier * scale * ping_interval;
}

absl::Duration MembershipOptions::SuspicionMax(size_t members) const {
  return suspicion_spread * SuspicionMin(members);
}

int MembershipOptions::Confirmations(size_t members) const {
  const int wanted = suspicion_multiplier - 2;
  return static_cast<int>(members) - 2 < wanted ? 0 : std::max(0, wanted);
}

absl::Status MembershipOptions::Validate() const {
  const absl::Duration hour = absl::Hours(1);
  for (const absl::Status& status : {
           Between("ping_interval", ping_interval, absl::Milliseconds(10), hour),
           Between("ping_timeout", ping_timeout, absl::Milliseconds(1), 0.6 * ping_interval),
           Between("helpers", helpers, 0, 16),
           Between("suspicion_multiplier", suspicion_multiplier, 1, 100),
           Between("suspicion_spread", suspicion_spread, 1.0, 100.0),
           Between("worst_health", worst_health, 0, 100),
           Between("gossip_interval", gossip_interval, absl::Milliseconds(5), hour),
           Between("gossip_fanout", gossip_fanout, 1, 64),
           Between("sync_interval", sync_interval, ping_interval, 24 * hour),
           Between("heal_interval", heal_interval, ping_interval, 24 * hour),
           Between("departed_kept", departed_kept, absl::ZeroDuration(), 1000 * 24 * hour),
           Between<size_t>("max_departed", max_departed, 0, 65536),
           Between<size_t>("max_members", max_members, 1, 65536),
           Between<size_t>("members_per_message", members_per_message, 1, 1024),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace starling
