// What did you mean? For unknown names in flags and configurations.

#ifndef STARLING_PEER_RUNTIME_NEAREST_NAME_H_
#define STARLING_PEER_RUNTIME_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starling {

// The known name that `wanted` is most likely a slip of: it begins with `wanted`, or fewest letters
// have to be added, dropped, changed or swapped, upper and lower case being alike, and no more than
// a third of them. Of equals the first. "" if nothing is close, or `wanted` is empty or absurdly
// long.
std::string NearestName(absl::string_view wanted, std::vector<std::string> known);

// INVALID_ARGUMENT `unknown KIND "wanted"; did you mean "nearest"? Known: a, b, c`.
absl::Status UnknownNameError(absl::string_view kind, absl::string_view wanted,
                              const std::vector<std::string>& known);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_NEAREST_NAME_H_
