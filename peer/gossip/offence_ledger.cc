#include "peer/gossip/offence_ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace starling {

absl::Status OffenceOptions::Validate() const {
  const auto wrong = [](const char* field, const char* must) {
    return absl::InvalidArgumentError(absl::StrCat(field, " must be ", must));
  };
  if (offences == 0) return wrong("offences", "at least 1");
  if (window <= absl::ZeroDuration()) return wrong("window", "above 0");
  if (first <= absl::ZeroDuration()) return wrong("first", "above 0");
  if (most < first) return wrong("most", "at least first");
  if (members == 0) return wrong("members", "at least 1");
  return absl::OkStatus();
}

OffenceLedger::Record& OffenceLedger::RecordOf(PeerId peer) {
  if (records_.count(peer) == 0 && records_.size() >= options_.members) {
    auto oldest = records_.begin();
    for (auto each = records_.begin(); each != records_.end(); ++each) {
      if (each->second.last < oldest->second.last) oldest = each;
    }
    records_.erase(oldest);
  }
  return records_[peer];
}

absl::optional<Quarantine> OffenceLedger::Note(absl::Time now, PeerId peer, Incarnation incarnation,
                                               uint64_t deed, const std::string& what) {
  Record& record = RecordOf(peer);
  if (incarnation < record.incarnation) return absl::nullopt;
  if (incarnation > record.incarnation) {
    record.incarnation = incarnation;
    record.recent.clear();
    record.until = absl::InfinitePast();
  }
  if (now < record.until) return absl::nullopt;
  const bool known = std::any_of(record.recent.begin(), record.recent.end(),
                                 [&](const auto& each) { return each.deed == deed; });
  if (known) return absl::nullopt;
  if (now - std::max(record.last, record.until) >= options_.most) record.length = absl::ZeroDuration();
  ++offences_;
  record.last = now;
  record.recent.push_back({now, deed});
  while (record.recent.front().at <= now - options_.window) record.recent.pop_front();
  if (record.recent.size() < options_.offences) return absl::nullopt;

  const absl::Duration took = now - record.recent.front().at;
  record.recent.clear();
  record.length =
      record.length == absl::ZeroDuration() ? options_.first : std::min(2 * record.length, options_.most);
  record.until = now + record.length;
  ++quarantines_;
  return Quarantine{record.length,
                    absl::StrFormat("%d bad contributions within %.0f s, the last: %s",
                                    options_.offences, absl::ToDoubleSeconds(took), what)};
}

bool OffenceLedger::IsQuarantined(absl::Time now, PeerId peer, Incarnation incarnation) const {
  const auto found = records_.find(peer);
  return found != records_.end() && now < found->second.until &&
         incarnation <= found->second.incarnation;
}

uint32_t OffenceLedger::OffencesOf(absl::Time now, PeerId peer) const {
  const auto found = records_.find(peer);
  if (found == records_.end()) return 0;
  const auto& recent = found->second.recent;
  return static_cast<uint32_t>(std::count_if(recent.begin(), recent.end(), [&](const auto& each) {
    return each.at > now - options_.window;
  }));
}

}  // namespace starling
