#include "peer/runtime/byte_size.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace starling {
namespace {

constexpr std::pair<absl::string_view, double> kUnits[] = {
    {"", 1},           {"B", 1},           {"kB", 1e3},
    {"KB", 1e3},       {"MB", 1e6},        {"GB", 1e9},
    {"TB", 1e12},      {"KiB", 0x1p10},    {"kiB", 0x1p10},
    {"MiB", 0x1p20},   {"GiB", 0x1p30},    {"TiB", 0x1p40},
    {"kbit", 1e3 / 8}, {"Kbit", 1e3 / 8},  {"Mbit", 1e6 / 8},
    {"mbit", 1e6 / 8}, {"Gbit", 1e9 / 8},  {"gbit", 1e9 / 8},
};

}  // namespace

std::string BytesText(uint64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB"}) {
    if (value < 999.95) break;
    value /= 1000;
    unit = next;
  }
  return absl::StrFormat("%.1f %s", value, unit);
}

absl::StatusOr<uint64_t> ParseBytes(absl::string_view text, absl::string_view per) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  if (!per.empty()) absl::ConsumeSuffix(&rest, absl::StrCat("/", per));
  const size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
  const absl::string_view unit = absl::StripLeadingAsciiWhitespace(rest.substr(digits));
  double value = 0;
  const bool number = digits > 0 && absl::SimpleAtod(rest.substr(0, digits), &value);
  for (const auto& [name, bytes] : kUnits) {
    if (!number || unit != name || value * bytes > 1e18) continue;
    return static_cast<uint64_t>(std::llround(value * bytes));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", absl::CHexEscape(text.substr(0, 64)), "\" is no amount of bytes", per.empty() ? "" : " per ",
      per == "s" ? "second" : per, "; write 500kB, 64MiB, or 20Mbit for bits; 0 for no limit"));
}

}  // namespace starling
