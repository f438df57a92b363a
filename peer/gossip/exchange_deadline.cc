#include "peer/gossip/exchange_deadline.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/effective_value.h"

namespace starling {
namespace {

constexpr double kMargin = 2;
constexpr double kUsual = 8;
// Bytes a second.
constexpr double kAssumed = 10e6 / 8;
// Doublings beyond these change nothing.
constexpr int kMostDoublings = 16;

double Doubled(int times) { return std::ldexp(1.0, std::clamp(times, 0, kMostDoublings)); }

std::string BytesText(double bytes) {
  if (bytes < 1e6) return absl::StrFormat("%.1f kB", bytes / 1e3);
  return absl::StrFormat("%.1f MB", bytes / 1e6);
}

}  // namespace

ExchangeDeadline DeadlineOf(const ExchangeTerms& terms, const PastExchanges& past,
                            const ExchangeTimingOptions& options) {
  ExchangeDeadline deadline;
  const double bandwidth =
      past.bytes_per_second > 0 ? past.bytes_per_second : kAssumed / Doubled(past.given_up);
  deadline.bytes_per_second = std::max(bandwidth, kSlowestLine);
  deadline.transfer = absl::Seconds(static_cast<double>(terms.bytes) / deadline.bytes_per_second);
  deadline.least = deadline.transfer + terms.round_trip + terms.own_step + terms.other_step;
  deadline.slack = options.ceiling;
  if (past.any) {
    const absl::Duration usual = std::clamp(kUsual * past.smoothed, options.floor, options.ceiling);
    deadline.slack = std::min(usual * Doubled(past.given_up), options.ceiling);
  }
  deadline.after = deadline.slack + kMargin * deadline.least;
  return deadline;
}

std::string ExchangeDeadline::Source(const ExchangeTerms& terms, const PastExchanges& past,
                                     const ExchangeTimingOptions& options) const {
  std::string text = absl::StrCat(ShortText(slack), ": ");
  if (options.floor == options.ceiling) {
    absl::StrAppend(&text, "fixed");
  } else if (past.any) {
    absl::StrAppend(&text, "8 x the smoothed duration of ", ShortText(past.smoothed), ", within ",
                    ShortText(options.floor), " and ", ShortText(options.ceiling),
                    past.given_up > 0 ? absl::StrCat(", longer after ", past.given_up, " in vain") : "");
  } else {
    absl::StrAppend(&text, "nothing measured yet");
  }
  absl::StrAppend(&text, "; and 2 x (", ShortText(transfer), " for ",
                  BytesText(static_cast<double>(terms.bytes)), " at ", BytesText(bytes_per_second), "/s",
                  past.bytes_per_second > 0 ? "" : ", assumed");
  const auto add = [&](absl::Duration part, absl::string_view what) {
    if (part > absl::ZeroDuration()) absl::StrAppend(&text, " + ", ShortText(part), " ", what);
  };
  add(terms.round_trip, "round trip");
  add(terms.own_step, "own step");
  add(terms.other_step, "other's step");
  return absl::StrCat(text, ")");
}

}  // namespace starling
