#include "peer/cli/limits_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "peer/cli/words.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// "500.0 kB/s in all, 2.0 GB a day; 1.3 GB in the last 24 h".
std::string DirectionText(uint64_t rate, uint64_t peer_rate, uint64_t day, uint64_t last_day) {
  std::vector<std::string> parts;
  if (rate > 0) parts.push_back(absl::StrCat(BytesText(rate), "/s in all"));
  if (peer_rate > 0) parts.push_back(absl::StrCat(BytesText(peer_rate), "/s per peer"));
  if (day > 0) parts.push_back(absl::StrCat(BytesText(day), " a day"));
  return absl::StrCat(parts.empty() ? "no limit" : absl::StrJoin(parts, ", "), "; ",
                      BytesText(last_day), " in the last 24 h");
}

// "requests as bf16, asks for replies as int8 (500.0 kB/s sent in all)".
std::string PrecisionText(const v1::BudgetStatus& budget) {
  std::vector<std::string> parts;
  const auto add = [&](const char* what, const std::string& codec) {
    if (!codec.empty()) parts.push_back(absl::StrCat(what, OneLine(codec)));
  };
  add("requests as ", budget.request_codec());
  add("replies as ", budget.reply_codec());
  add("asks for replies as ", budget.asked_codec());
  if (parts.empty()) return "as chosen";
  return absl::StrCat(absl::StrJoin(parts, ", "), " (", OneLine(budget.reason()), ")");
}

std::string SkippedText(const v1::BudgetStatus& budget) {
  std::string text =
      absl::StrFormat("%d skipped, %d put off as the partner asked, %d of others refused",
                      budget.exchanges_skipped(), budget.exchanges_put_off(),
                      budget.exchanges_refused());
  if (budget.seconds_to_wait() > 0) {
    absl::StrAppend(&text, "; the next in ", DurationText(absl::Seconds(budget.seconds_to_wait())),
                    " (", OneLine(budget.reason()), ")");
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> LimitLines(const v1::BudgetStatus& budget) {
  const v1::LinkLimits& limits = budget.limits();
  std::vector<std::pair<std::string, std::string>> lines = {
      {"send", DirectionText(limits.send(), limits.send_per_peer(), limits.send_per_day(),
                             budget.sent_last_day())},
      {"receive", DirectionText(limits.receive(), limits.receive_per_peer(),
                                limits.receive_per_day(), budget.received_last_day())}};
  const uint64_t held_back = budget.exchanges_skipped() + budget.exchanges_put_off() +
                             budget.exchanges_refused() + budget.exchanges_coarser();
  const bool limited = limits.send() > 0 || limits.receive() > 0 || limits.send_per_peer() > 0 ||
                       limits.receive_per_peer() > 0 || limits.send_per_day() > 0 ||
                       limits.receive_per_day() > 0;
  if (limited || held_back > 0) {
    lines.emplace_back("written", absl::StrCat(PrecisionText(budget), "; ",
                                               budget.exchanges_coarser(), " exchanges coarser"));
    lines.emplace_back("exchanges", SkippedText(budget));
  }
  return lines;
}

std::string RenderLimits(const v1::BudgetStatus& budget) {
  std::string text;
  for (const auto& [name, value] : LimitLines(budget)) {
    absl::StrAppend(&text, absl::StrFormat("%-11s%s\n", absl::StrCat(name, ":"), value));
  }
  return text;
}

}  // namespace starling
