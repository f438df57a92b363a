#include "peer/membership/options.h"

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

absl::Status Between(absl::string_view field, size_t value, size_t low, size_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, "; it must be between ", low, " and ", high));
}

}  // namespace

MembershipOptions MembershipOptions::Fast() {
  MembershipOptions options;
  options.ping_interval = absl::Milliseconds(400);
  options.suspect_after = absl::Milliseconds(600);
  options.dead_after = absl::Seconds(2);
  options.heal_interval = absl::Seconds(5);
  return options;
}

MembershipOptions MembershipOptions::Wan() {
  MembershipOptions options;
  options.ping_interval = absl::Seconds(3);
  options.suspect_after = absl::Milliseconds(4500);
  options.dead_after = absl::Seconds(15);
  return options;
}

absl::Status MembershipOptions::Validate() const {
  const absl::Duration hour = absl::Hours(1);
  for (const absl::Status& status : {
           Between("ping_interval", ping_interval, absl::Milliseconds(10), hour),
           Between("suspect_after", suspect_after, ping_interval / 2, hour),
           Between("dead_after", dead_after, suspect_after + ping_interval, 24 * hour),
           Between("heal_interval", heal_interval, ping_interval, 24 * hour),
           Between("departed_kept", departed_kept, absl::ZeroDuration(), 1000 * 24 * hour),
           Between("max_departed", max_departed, 0, 65536),
           Between("max_members", max_members, 1, 65536),
           Between("members_per_message", members_per_message, 1, 1024),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace starling
