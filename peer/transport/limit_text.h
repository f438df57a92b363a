// Limits as people write them on a command line. Stateless, any thread.

#ifndef STARLING_PEER_TRANSPORT_LIMIT_TEXT_H_
#define STARLING_PEER_TRANSPORT_LIMIT_TEXT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/status.pb.h"

namespace starling {

// What was written for each field of v1.LinkLimits; nullopt: nothing.
struct LimitTexts {
  std::optional<std::string> send;
  std::optional<std::string> receive;
  std::optional<std::string> send_per_peer;
  std::optional<std::string> receive_per_peer;
  std::optional<std::string> send_per_day;
  std::optional<std::string> receive_per_day;
};

// Sets what was written. `prefix` stands before the fields' names in the flags: "--limit_".
// INVALID_ARGUMENT names the flag: no amount of bytes (byte_size.h), or out of range (link_budget.h).
absl::StatusOr<v1::LinkLimits> ParseLimits(absl::string_view prefix, const LimitTexts& texts);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_LIMIT_TEXT_H_
