#include "peer/gossip/staleness_gate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/effective_value.h"

namespace starling {

void StalenessGate::SetMembers(absl::Time now, const std::map<PeerId, Word>& members,
                               std::set<PeerId> silent) {
  silent_ = std::move(silent);
  for (auto record = records_.begin(); record != records_.end();) {
    record = members.count(record->first) == 0 ? records_.erase(record) : std::next(record);
  }
  for (const auto& [peer, word] : members) {
    const auto [found, is_new] = records_.try_emplace(peer);
    Record& record = found->second;
    // A step that falls is one that the peer has gone back to.
    if (is_new || word.incarnation != record.incarnation || word.step < record.newer.step) {
      record = Record{word.incarnation, {now, word.step}, absl::nullopt};
    } else if (now - record.newer.at >= bound_) {
      record.older = record.newer;
      record.newer = {now, word.step};
    }
  }
}

absl::optional<std::string> StalenessGate::Judge(absl::Time now,
                                                 const v1::ShardHeader& request) const {
  if (request.receiver_incarnation() != 0 && request.receiver_incarnation() != self_) {
    return absl::StrCat("request to incarnation ", request.receiver_incarnation(),
                        " of this peer, which is at ", self_);
  }
  const PeerId sender(request.sender());
  if (silent_.count(sender) > 0) {
    return std::string("its sender does not answer, so its values may be of long ago");
  }
  const auto found = records_.find(sender);
  if (found == records_.end()) return absl::nullopt;
  const Record& record = found->second;
  if (request.sender_incarnation() < record.incarnation) {
    return absl::StrCat("request by incarnation ", request.sender_incarnation(),
                        " of its sender, which is at ", record.incarnation);
  }
  if (request.sender_incarnation() > record.incarnation) return absl::nullopt;
  absl::optional<Sighting> passed = record.older;
  if (now - record.newer.at >= bound_) passed = record.newer;
  if (passed && request.step() < passed->step) {
    return absl::StrCat("values of step ", request.step(), ", but their sender had made ",
                        passed->step, " steps ", ShortText(now - passed->at), " ago; the limit is ",
                        ShortText(bound_));
  }
  return absl::nullopt;
}

}  // namespace starling
