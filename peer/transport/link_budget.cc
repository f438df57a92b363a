#include "peer/transport/link_budget.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "peer/runtime/byte_size.h"

namespace starling {
namespace {

constexpr uint64_t kLeast = 1000;
constexpr uint64_t kMost = 1'000'000'000'000'000;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr double kOfADayAtOnce = 1.0 / 8;

void Lengthen(LinkBudget::Wait& wait, absl::Duration time, LinkBudget::Limit limit) {
  if (time > wait.time) wait = {time, limit};
}

}  // namespace

absl::Status ValidateLimits(const v1::LinkLimits& limits) {
  for (const LimitField& field : kLimitFields) {
    const uint64_t bytes = (limits.*field.get)();
    if (bytes == 0 || (bytes >= kLeast && bytes <= kMost)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("limit ", field.name, " is ", BytesText(bytes),
                     "; it must be 0, for none, or from 1 kB to 1 PB, such as 500kB or 20Mbit"));
  }
  return absl::OkStatus();
}

bool HasLimit(const v1::LinkLimits& limits) {
  return std::any_of(std::begin(kLimitFields), std::end(kLimitFields),
                     [&](const LimitField& field) { return (limits.*field.get)() > 0; });
}

double LinkBudget::Lane::Capacity(uint64_t a_second) const {
  return static_cast<double>(std::max(a_second, whole));
}

void LinkBudget::Lane::Set(absl::Time now, uint64_t new_rate, uint64_t new_peer_rate,
                           uint64_t new_day) {
  if (new_rate != rate) total.Change(now, static_cast<double>(new_rate), Capacity(new_rate));
  if (new_peer_rate != peer_rate) {
    for (auto& [peer, bucket] : peers) {
      bucket.Change(now, static_cast<double>(new_peer_rate), Capacity(new_peer_rate));
    }
    if (new_peer_rate == 0) peers.clear();
  }
  if (new_day != day) {
    const auto bytes = static_cast<double>(new_day);
    day_pace.Change(now, bytes / absl::ToDoubleSeconds(kDay),
                    std::max(bytes * kOfADayAtOnce, std::min(bytes, Capacity(0))));
  }
  rate = new_rate;
  peer_rate = new_peer_rate;
  day = new_day;
}

TokenBucket& LinkBudget::Lane::BucketOf(absl::Time now, PeerId peer) {
  const auto known = peers.find(peer);
  if (known != peers.end()) return known->second;
  if (peers.size() >= kMostPeers) {
    std::erase_if(peers, [now](const auto& entry) { return entry.second.IsFull(now); });
  }
  if (peers.size() >= kMostPeers) {
    peers.erase(std::max_element(peers.begin(), peers.end(), [now](const auto& a, const auto& b) {
      return a.second.Level(now) < b.second.Level(now);
    }));
  }
  return peers.emplace(peer, TokenBucket(static_cast<double>(peer_rate), Capacity(peer_rate)))
      .first->second;
}

LinkBudget::Wait LinkBudget::Lane::BucketsWait(absl::Time now, PeerId peer, double bytes,
                                               double promised) const {
  Wait wait;
  Lengthen(wait, total.WaitFor(now, bytes, promised), Limit::kTotal);
  if (const auto known = peers.find(peer); known != peers.end()) {
    Lengthen(wait, known->second.WaitFor(now, bytes), Limit::kPerPeer);
  }
  Lengthen(wait, day_pace.WaitFor(now, bytes, promised), Limit::kPerDay);
  return wait;
}

void LinkBudget::SetLimits(absl::Time now, const v1::LinkLimits& limits) {
  limits_.MergeFrom(limits);
  for (const LimitField& field : kLimitFields) (limits_.*field.set)((limits_.*field.get)());
  send_.Set(now, limits_.send(), limits_.send_per_peer(), limits_.send_per_day());
  receive_.Set(now, limits_.receive(), limits_.receive_per_peer(), limits_.receive_per_day());
}

void LinkBudget::Charge(absl::Time now, Direction direction, PeerId peer, uint64_t bytes) {
  if (bytes == 0) return;
  Lane& lane = direction == Direction::kSend ? send_ : receive_;
  const auto charge = static_cast<double>(bytes);
  lane.day_spent.Charge(now, bytes);
  lane.day_pace.Charge(now, charge);
  lane.total.Charge(now, charge);
  if (lane.peer_rate > 0 && !peer.empty()) lane.BucketOf(now, peer).Charge(now, charge);
}

LinkBudget::Wait LinkBudget::WaitFor(absl::Time now, Direction direction, PeerId peer,
                                     uint64_t bytes, uint64_t promised) const {
  if (bytes == 0) return {};
  const Lane& lane = this->lane(direction);
  Wait wait =
      lane.BucketsWait(now, peer, static_cast<double>(bytes), static_cast<double>(promised));
  if (lane.day > 0) {
    Lengthen(wait, lane.day_spent.WaitFor(now, bytes, lane.day, promised), Limit::kPerDay);
  }
  return wait;
}

LinkBudget::Wait LinkBudget::WaitForCredit(absl::Time now, Direction direction, PeerId peer,
                                           uint64_t forgiven) const {
  const Lane& lane = this->lane(direction);
  Wait wait = lane.BucketsWait(now, peer, -static_cast<double>(forgiven), 0);
  if (lane.day > 0) {
    Lengthen(wait, lane.day_spent.WaitFor(now, 0, lane.day + forgiven), Limit::kPerDay);
  }
  return wait;
}

std::string LinkBudget::Describe(Direction direction, Limit limit) const {
  const Lane& lane = this->lane(direction);
  const char* const done = direction == Direction::kSend ? " sent" : " received";
  switch (limit) {
    case Limit::kNone:
      return "";
    case Limit::kTotal:
      return absl::StrCat(BytesText(lane.rate), "/s", done, " in all");
    case Limit::kPerPeer:
      return absl::StrCat(BytesText(lane.peer_rate), "/s", done, " per peer");
    case Limit::kPerDay:
      return absl::StrCat(BytesText(lane.day), done, " a day");
  }
  return "";
}

std::string LinkBudget::DescribeAll() const {
  std::vector<std::string> parts;
  for (const Direction direction : {Direction::kSend, Direction::kReceive}) {
    const Lane& lane = this->lane(direction);
    if (lane.rate > 0) parts.push_back(Describe(direction, Limit::kTotal));
    if (lane.peer_rate > 0) parts.push_back(Describe(direction, Limit::kPerPeer));
    if (lane.day > 0) parts.push_back(Describe(direction, Limit::kPerDay));
  }
  return parts.empty() ? "none" : absl::StrJoin(parts, ", ");
}

}  // namespace starling
