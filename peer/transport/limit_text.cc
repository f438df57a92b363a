#include "peer/transport/limit_text.h"

#include <cstddef>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/byte_size.h"
#include "peer/transport/link_budget.h"

namespace starling {

absl::StatusOr<v1::LinkLimits> ParseLimits(absl::string_view prefix, const LimitTexts& texts) {
  v1::LinkLimits limits;
  const std::optional<std::string>* const written[] = {
      &texts.send,         &texts.receive,     &texts.send_per_peer, &texts.receive_per_peer,
      &texts.send_per_day, &texts.receive_per_day};
  static_assert(std::size(written) == std::size(kLimitFields), "in the order of kLimitFields");
  for (size_t i = 0; i < std::size(written); ++i) {
    const std::optional<std::string>& text = *written[i];
    if (!text) continue;
    const LimitField& field = kLimitFields[i];
    const absl::StatusOr<uint64_t> bytes = ParseBytes(*text, field.per);
    absl::Status status = bytes.status();
    if (status.ok()) {
      v1::LinkLimits alone;
      (alone.*field.set)(*bytes);
      status = ValidateLimits(alone);
      (limits.*field.set)(*bytes);
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(prefix, field.name, "=", *text, ": ", status.message()));
    }
  }
  return limits;
}

}  // namespace starling
