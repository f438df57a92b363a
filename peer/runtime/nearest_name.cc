#include "peer/runtime/nearest_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace starling {
namespace {

constexpr size_t kLongestName = 64;

// Optimal string alignment distance.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({change, last[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(current);
  }
  return last[b.size()];
}

}  // namespace

std::string NearestName(absl::string_view wanted, std::vector<std::string> known) {
  if (wanted.empty() || wanted.size() > kLongestName) return "";
  const std::string lower = absl::AsciiStrToLower(wanted);
  std::string nearest;
  size_t nearest_distance = 0;
  for (const std::string& name : known) {
    if (name.size() > kLongestName) continue;
    const std::string candidate = absl::AsciiStrToLower(name);
    const bool is_beginning = lower.size() >= 3 && absl::StartsWith(candidate, lower);
    const size_t distance = is_beginning ? 1 : EditDistance(lower, candidate);
    const size_t allowed = std::max<size_t>(1, std::max(lower.size(), candidate.size()) / 3);
    if (distance > allowed || distance >= std::max(lower.size(), candidate.size())) continue;
    if (nearest.empty() || distance < nearest_distance) {
      nearest = name;
      nearest_distance = distance;
    }
  }
  return nearest;
}

absl::Status UnknownNameError(absl::string_view kind, absl::string_view wanted,
                              const std::vector<std::string>& known) {
  const std::string nearest = NearestName(wanted, known);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown ", kind, " \"", absl::CHexEscape(wanted.substr(0, kLongestName)), "\"",
                   nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
                   nearest.empty() ? "; known: " : " Known: ", absl::StrJoin(known, ", ")));
}

}  // namespace starling
