// The part of Membership that calls others to pass on what it knows, and says what that is.

#include <algorithm>
#include <cmath>
#include <utility>

#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"

namespace starling {
namespace {

// Rows of a table that are sent.
constexpr size_t kMaxRowsSent = 1024;
// Where there is little news, rows of the table in turn fill a message up to this many.
constexpr size_t kFill = 6;
// Helpers report within this share of the time that they are waited for.
constexpr double kHelpersShare = 0.8;
// The dead are called every heal_interval, but no more often than a share of the time for which they
// have been dead, and no more rarely than so many heal_intervals.
constexpr double kShareOfDeath = 0.05;
constexpr double kRarestCall = 10;

}  // namespace

void Membership::News(PeerId about) {
  rumours_.Add(about);
  // Fresh news does not wait for its turn.
  next_gossip_ = std::min(next_gossip_, last_gossip_ + options_.gossip_interval / 4);
}

PingAction& Membership::Call(absl::Time now, PingAction::Purpose purpose, const Row& row,
                             absl::Duration timeout) {
  PingAction& call = pings_.emplace_back();
  call.purpose = purpose;
  call.address = row.member.address();
  call.expected = PeerId(row.member.peer_id());
  call.timeout = timeout;
  call.sent = now;
  return call;
}

// A random choice of at most so many.
std::vector<Membership::Row*> Membership::Choose(size_t most, bool (*eligible)(const Row& row)) {
  std::vector<Row*> chosen;
  for (auto& [id, row] : rows_) {
    if (eligible(row) && row.member.address() != self_.address()) chosen.push_back(&row);
  }
  for (size_t i = 0; i < std::min(most, chosen.size()); ++i) {
    std::swap(chosen[i], chosen[i + random_.UniformInt(chosen.size() - i)]);
  }
  if (chosen.size() > most) chosen.resize(most);
  return chosen;
}

void Membership::Gossip(absl::Time now) {
  if (now < next_gossip_) return;
  last_gossip_ = now;
  next_gossip_ = now + options_.gossip_interval;
  // Suspects too: they should hear what is said of them.
  for (Row* row : Choose(options_.gossip_fanout, [](const Row& candidate) {
         return !candidate.calling && (candidate.verdict == Verdict::kLiving ||
                                       candidate.verdict == Verdict::kSuspect);
       })) {
    row->calling = true;
    Call(now, PingAction::Purpose::kGossip, *row, ping_timeout());
  }
}

absl::Duration Membership::SyncInterval() const {
  const double crowd = static_cast<double>(members()) / 32;
  return options_.sync_interval * (crowd > 1 ? 1 + std::ceil(std::log2(crowd)) : 1);
}

void Membership::Sync(absl::Time now, Row& row) {
  last_sync_ = now;
  Call(now, PingAction::Purpose::kSync, row, options_.ping_interval + ping_timeout());
}

void Membership::SyncInTurn(absl::Time now) {
  if (now >= next_sync_) {
    next_sync_ = now + SyncInterval();
    syncs_due_ = std::max(syncs_due_, 1);
  }
  if (syncs_due_ == 0) return;
  const std::vector<Row*> chosen =
      Choose(std::exchange(syncs_due_, 0), [](const Row& candidate) {
        return candidate.verdict == Verdict::kLiving && candidate.link == Link::kGood;
      });
  for (Row* row : chosen) Sync(now, *row);
  if (chosen.empty()) BackInTouch();  // with nobody
}

void Membership::AddSeed(absl::Time now, const std::string& address) {
  if (address != self_.address()) seeds_[address] = Seed{now};
}

void Membership::CallSeeds(absl::Time now) {
  for (auto& [address, seed] : seeds_) {
    if (seed.pinging || now < seed.next_ping) continue;
    seed.next_ping = now + (seed.answered ? options_.heal_interval : options_.ping_interval);
    // Whoever answers there is called as a member.
    if (seed.answered && AnswersAt(address)) continue;
    seed.pinging = true;
    PingAction& call = pings_.emplace_back();
    call.purpose = PingAction::Purpose::kSeed;
    call.address = address;
    call.timeout = options_.ping_interval + ping_timeout();
    call.sent = now;
  }
}

void Membership::CallDeparted(absl::Time now, Row& row) {
  const bool dead = row.verdict == Verdict::kDead;
  if ((!dead && row.verdict != Verdict::kIncompatible) || row.calling || now < row.next_call) {
    return;
  }
  const absl::Duration rest =
      dead ? std::clamp(kShareOfDeath * (now - row.since), options_.heal_interval,
                        kRarestCall * options_.heal_interval)
           : options_.heal_interval;
  row.next_call = now + (0.9 + 0.2 * random_.Uniform()) * rest;
  if (AddressTaken(row) || row.member.address() == self_.address()) return;
  row.calling = true;
  Call(now, PingAction::Purpose::kRetry, row, options_.ping_interval);
}

void Membership::FillRequest(const PingAction& ping, v1::ControlRequest* request) {
  google::protobuf::RepeatedPtrField<v1::Member>* members = nullptr;
  switch (ping.purpose) {
    case PingAction::Purpose::kSync:
    case PingAction::Purpose::kSeed:
      for (v1::Member& member : Table()) *request->mutable_sync()->add_members() = std::move(member);
      return;
    case PingAction::Purpose::kHelp: {
      v1::PingRequest& help = *request->mutable_ping_request();
      if (const Row* const target = Find(ping.target); target != nullptr) {
        *help.mutable_target() = ToSend(*target);
      }
      help.set_timeout_ms(
          static_cast<uint32_t>(absl::ToInt64Milliseconds(kHelpersShare * ping.timeout)));
      members = help.mutable_members();
      break;
    }
    default:
      members = request->mutable_ping()->mutable_members();
  }
  for (v1::Member& member : MembersToSend(ping.expected)) *members->Add() = std::move(member);
}

std::vector<v1::Member> Membership::MembersToSend(PeerId listener) {
  std::vector<v1::Member> members_to_send;
  members_to_send.reserve(kFill + 1);
  // What is said of the listener itself comes first, so that it can contradict.
  if (const Row* const row = Find(listener); row != nullptr) {
    if (row->verdict == Verdict::kSuspect || row->verdict == Verdict::kDead) {
      members_to_send.push_back(ToSend(*row));
    } else if (row->accused) {
      members_to_send.push_back(ToSend(*row));
      members_to_send.back().set_state(v1::PEER_STATE_DEAD);
    }
  }
  if (rumours_.size() > 0) {
    for (const PeerId about : rumours_.Tell(listener, options_.members_per_message,
                                            Rumours::Retransmissions(members()))) {
      if (about.value() == self_.peer_id()) {
        members_to_send.push_back(self_);
      } else if (const Row* const row = Find(about); row != nullptr) {
        members_to_send.push_back(ToSend(*row));
      }
    }
  }
  const auto included = [&](PeerId id) {
    return std::any_of(members_to_send.begin(), members_to_send.end(),
                       [&](const v1::Member& member) { return member.peer_id() == id.value(); });
  };
  const size_t fill = std::min(kFill, options_.members_per_message);
  // While most members are still candidates it is not worth looking for the few that are not.
  const size_t look_at = std::min(rows_.size(), 4 * fill);
  auto it = rows_.upper_bound(send_cursor_);
  for (size_t seen = 0; seen < look_at && members_to_send.size() < fill; ++seen, ++it) {
    if (it == rows_.end()) it = rows_.begin();
    const Row& row = it->second;
    send_cursor_ = it->first;
    const bool candidate = row.member.state() == v1::PEER_STATE_UNSPECIFIED;
    if (candidate || it->first == listener || row.verdict == Verdict::kIncompatible) continue;
    if (included(it->first)) continue;
    members_to_send.push_back(ToSend(row));
  }
  return members_to_send;
}

std::vector<v1::Member> Membership::Table() const {
  std::vector<v1::Member> table = {self_};
  for (const bool departed : {false, true}) {
    for (const auto& [id, row] : rows_) {
      const bool gone = row.verdict == Verdict::kDead || row.verdict == Verdict::kLeft;
      if (gone != departed || table.size() >= kMaxRowsSent) continue;
      if (row.verdict == Verdict::kIncompatible) continue;
      if (row.member.state() == v1::PEER_STATE_UNSPECIFIED) continue;
      table.push_back(ToSend(row));
    }
  }
  return table;
}

// As the swarm should see it.
v1::Member Membership::ToSend(const Row& row) const {
  v1::Member member = row.member;
  switch (row.verdict) {
    case Verdict::kDead:
      member.set_state(v1::PEER_STATE_DEAD);
      return member;
    case Verdict::kLeft:
      member.set_state(v1::PEER_STATE_LEFT);
      return member;
    case Verdict::kSuspect:
      member.set_state(v1::PEER_STATE_SUSPECT);
      for (const PeerId accuser : row.suspicion->accusers()) {
        member.add_suspecters(accuser.value());
      }
      break;
    default:
      member.set_state(row.told);
  }
  member.clear_reason();
  return member;
}

bool Membership::AnswersAt(const std::string& address) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& entry) {
    return entry.second.member.address() == address && IsReachable(entry.second.member);
  });
}

// True if somebody else answers at this address: whoever was there before is gone.
bool Membership::AddressTaken(const Row& row) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& entry) {
    const v1::Member& other = entry.second.member;
    return other.address() == row.member.address() && other.peer_id() != row.member.peer_id() &&
           IsReachable(other);
  });
}

}  // namespace starling
