#include "peer/cli/words.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Open enums of proto3 may hold numbers that this program is too old to know.
std::string EnumWord(absl::string_view name, absl::string_view prefix, int number) {
  if (name.empty()) return absl::StrCat("unknown (", number, ")");
  return std::string(absl::StripPrefix(name, prefix));
}

}  // namespace

std::string PhaseWord(v1::Phase phase) {
  return absl::AsciiStrToLower(EnumWord(v1::Phase_Name(phase), "PHASE_", phase));
}

std::string RoleWord(v1::Role role) {
  return absl::AsciiStrToLower(EnumWord(v1::Role_Name(role), "ROLE_", role));
}

std::string StateWord(v1::PeerState state) {
  return EnumWord(v1::PeerState_Name(state), "PEER_STATE_", state);
}

std::string RefusalWord(v1::RefusalReason reason) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(EnumWord(v1::RefusalReason_Name(reason),
                                                            "REFUSAL_REASON_", reason)),
                             {{"_", " "}});
}

bool IsPresent(v1::PeerState state) {
  return state == v1::PEER_STATE_JOINING || state == v1::PEER_STATE_ALIVE ||
         state == v1::PEER_STATE_SUSPECT;
}

std::string DurationText(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 60) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = absl::ToInt64Seconds(duration);
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d min", whole / 3600, whole / 60 % 60);
}

std::string AccuracyText(double accuracy) { return absl::StrFormat("%.4f", accuracy); }

std::string ShareText(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string NumberText(double value) {
  const double size = std::fabs(value);
  if (size >= 999.5) return absl::StrFormat("%.0f", value);
  if (size >= 99.95) return absl::StrFormat("%.1f", value);
  if (size >= 9.995) return absl::StrFormat("%.2f", value);
  if (size == 0) return "0";
  if (size < 0.001) return absl::StrFormat("%.2g", value);
  return absl::StrFormat("%.4f", value);
}

std::string AlgorithmText(const v1::AlgorithmConfig& algorithm) {
  std::string text = OneLine(algorithm.name());
  const char* separator = ":";
  for (const v1::AlgorithmOption& option : algorithm.options()) {
    absl::StrAppend(&text, separator, OneLine(option.name()), "=",
                    absl::StrFormat("%g", option.value()));
    separator = ",";
  }
  return text;
}

}  // namespace starling
