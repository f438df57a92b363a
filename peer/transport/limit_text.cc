#include "peer/transport/limit_text.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/byte_size.h"
#include "peer/transport/link_budget.h"

namespace starling {

absl::StatusOr<v1::LinkLimits> ParseLimits(absl::string_view prefix, const LimitTexts& texts) {
  v1::LinkLimits limits;
  const struct {
    absl::string_view name;
    const std::optional<std::string>& text;
    void (v1::LinkLimits::*set)(uint64_t);
    absl::string_view per;
  } rows[] = {
      {"send", texts.send, &v1::LinkLimits::set_send, "s"},
      {"receive", texts.receive, &v1::LinkLimits::set_receive, "s"},
      {"send_per_peer", texts.send_per_peer, &v1::LinkLimits::set_send_per_peer, "s"},
      {"receive_per_peer", texts.receive_per_peer, &v1::LinkLimits::set_receive_per_peer, "s"},
      {"send_per_day", texts.send_per_day, &v1::LinkLimits::set_send_per_day, "day"},
      {"receive_per_day", texts.receive_per_day, &v1::LinkLimits::set_receive_per_day, "day"},
  };
  for (const auto& row : rows) {
    if (!row.text) continue;
    const absl::StatusOr<uint64_t> bytes = ParseBytes(*row.text, row.per);
    absl::Status status = bytes.status();
    if (status.ok()) {
      v1::LinkLimits alone;
      (alone.*row.set)(*bytes);
      status = ValidateLimits(alone);
      (limits.*row.set)(*bytes);
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(prefix, row.name, "=", *row.text, ": ", status.message()));
    }
  }
  return limits;
}

}  // namespace starling
