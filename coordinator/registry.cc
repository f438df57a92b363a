#include "coordinator/registry.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/runtime/check.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/one_line.h"

namespace starling {

RegistryOptions RegistryOptions::Fast() {
  RegistryOptions options;
  options.lease = absl::Seconds(3);
  options.heartbeat = absl::Milliseconds(400);
  return options;
}

RegistryOptions RegistryOptions::Wan() {
  RegistryOptions options;
  options.lease = absl::Seconds(15);
  options.heartbeat = absl::Seconds(3);
  return options;
}

absl::Status RegistryOptions::Validate() const {
  if (heartbeat < absl::Milliseconds(50) || heartbeat > absl::Minutes(1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "heartbeat is ", absl::FormatDuration(heartbeat), "; it must be between 50ms and 1m"));
  }
  if (lease < 2 * heartbeat || lease > absl::Hours(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("lease is ", absl::FormatDuration(lease),
                     "; it must be between two heartbeats (", absl::FormatDuration(2 * heartbeat),
                     ") and 1h"));
  }
  if (max_members < 1 || max_members > 65536) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_members is ", max_members, "; it must be between 1 and 65536"));
  }
  if (max_departed > 65536) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_departed is ", max_departed, "; it must be at most 65536"));
  }
  if (departed_kept < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "departed_kept is ", absl::FormatDuration(departed_kept), "; it must not be negative"));
  }
  return absl::OkStatus();
}

Registry::Registry(const RegistryOptions& options, uint64_t start_number, absl::Time now)
    : options_(options), start_number_(start_number) {
  STARLING_CHECK(options.Validate().ok());
  STARLING_CHECK(start_number < (uint64_t{1} << 32));
  Grace(now);
}

absl::Status Registry::Join(absl::Time now, const v1::Member& member) {
  const PeerId id(member.peer_id());
  STARLING_CHECK(!id.empty());
  const absl::Status address = ValidateDialable(member.address());
  if (!address.ok()) return address;

  const auto found = rows_.find(id);
  const bool known = found != rows_.end();
  const bool was_living = known && IsLiving(found->second.member);
  if (known) {
    const v1::Member& row = found->second.member;
    if (member.incarnation() < row.incarnation()) {
      return absl::AlreadyExistsError(
          absl::StrCat("peer ", id.ToString(), " is registered with incarnation ",
                       row.incarnation(), " at ", row.address(), "; incarnation ",
                       member.incarnation(), " is an older process with the same id"));
    }
    if (member.incarnation() == row.incarnation() && row.state() == v1::PEER_STATE_LEFT) {
      return absl::AlreadyExistsError(absl::StrCat("peer ", id.ToString(), " (incarnation ",
                                                   row.incarnation(),
                                                   ") has left; start it again to come back"));
    }
  }
  if (!was_living && living_ >= options_.max_members) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this coordinator holds its limit of ", options_.max_members, " members"));
  }

  const v1::PeerState state = member.state() == v1::PEER_STATE_ALIVE ? v1::PEER_STATE_ALIVE
                                                                     : v1::PEER_STATE_JOINING;
  const bool superseded =
      was_living && member.incarnation() > found->second.member.incarnation();
  const bool same = was_living && !superseded &&
                    member.address() == found->second.member.address() &&
                    state == found->second.member.state();
  v1::Member next;
  next.set_peer_id(id.value());
  next.set_incarnation(member.incarnation());
  next.set_address(member.address());
  next.set_state(state);
  next.set_step(member.step());
  next.set_centre(member.centre());
  if (member.centre()) {
    next.set_slot(0);  // reads no data, so it takes nobody's place
  } else if (was_living && !found->second.member.centre()) {
    next.set_slot(found->second.member.slot());
  } else {
    next.set_slot(ChooseSlot(known ? found->second.member.slot() : member.slot(), member.slot()));
  }
  if (superseded) {
    next.set_reason("restarted");
  } else if (known && !was_living) {
    next.set_reason("came back");
  }

  Row& row = rows_[id];
  if (!was_living || superseded) {
    row.looks_after_others = false;
    row.missing.clear();
  }
  row.member = std::move(next);
  row.renewed = now;
  if (!was_living) ++living_;
  if (!same) Changed(row.member);
  return absl::OkStatus();
}

absl::Status Registry::Renew(absl::Time now, PeerId id, uint64_t incarnation, uint64_t step,
                             v1::PeerState state) {
  const auto found = rows_.find(id);
  if (found == rows_.end() || !IsLiving(found->second.member) ||
      found->second.member.incarnation() != incarnation) {
    return absl::NotFoundError(absl::StrCat("peer ", id.ToString(), " (incarnation ", incarnation,
                                            ") holds no lease; join again"));
  }
  Row& row = found->second;
  row.renewed = now;
  row.member.set_step(step);
  if ((state == v1::PEER_STATE_JOINING || state == v1::PEER_STATE_ALIVE) &&
      state != row.member.state()) {
    row.member.set_state(state);
    row.member.set_reason(state == v1::PEER_STATE_ALIVE ? "training" : "synchronising");
    Changed(row.member);
  }
  return absl::OkStatus();
}

void Registry::Leave(absl::Time now, PeerId id, uint64_t incarnation, absl::string_view reason) {
  const auto found = rows_.find(id);
  if (found == rows_.end() || !IsLiving(found->second.member) ||
      found->second.member.incarnation() != incarnation) {
    return;
  }
  Depart(now, found->second, v1::PEER_STATE_LEFT, absl::StrCat("left: ", OneLine(reason)));
}

void Registry::Expire(absl::Time now) {
  if (now >= grace_ends_) {
    for (auto& [id, row] : rows_) {
      const absl::Duration silence = now - row.renewed;
      if (!IsLiving(row.member) || silence < options_.lease) continue;
      const std::string reason =
          absl::StrFormat("no heartbeat for %.1f s", absl::ToDoubleSeconds(silence));
      const size_t seen_by = SeenBy(now, id);
      if (seen_by == 0) {
        Depart(now, row, v1::PEER_STATE_DEAD, reason);
      } else if (row.member.state() != v1::PEER_STATE_SUSPECT) {
        row.member.set_state(v1::PEER_STATE_SUSPECT);
        row.member.set_reason(absl::StrCat(reason, ", but ", seen_by,
                                           seen_by == 1 ? " other sees it" : " others see it"));
        Changed(row.member);
      }
    }
  }
  for (auto it = rows_.begin(); it != rows_.end();) {
    const bool old = !IsLiving(it->second.member) &&
                     now - it->second.departed >= options_.departed_kept;
    it = old ? rows_.erase(it) : std::next(it);
  }
  while (rows_.size() - living_ > options_.max_departed) ForgetOldest();
}

// How many of those who renew their leases have contact with it.
size_t Registry::SeenBy(absl::Time now, PeerId id) const {
  return static_cast<size_t>(std::count_if(rows_.begin(), rows_.end(), [&](const auto& entry) {
    const auto& [other, row] = entry;
    return other != id && row.looks_after_others && IsLiving(row.member) &&
           now - row.renewed < options_.lease &&
           !std::binary_search(row.missing.begin(), row.missing.end(), id);
  }));
}

void Registry::SetMissing(PeerId reporter, std::vector<PeerId> missing) {
  const auto found = rows_.find(reporter);
  if (found == rows_.end()) return;
  std::sort(missing.begin(), missing.end());
  found->second.looks_after_others = true;
  found->second.missing = std::move(missing);
}

void Registry::SetAveragingTime(PeerId reporter, absl::Duration time) {
  const auto found = rows_.find(reporter);
  if (found != rows_.end()) found->second.averaging = time;
}

absl::Duration Registry::LongestAveraging() const {
  absl::Duration longest;
  for (const auto& [id, row] : rows_) {
    if (row.member.state() == v1::PEER_STATE_ALIVE) longest = std::max(longest, row.averaging);
  }
  return longest;
}

const v1::Member* Registry::Find(PeerId id) const {
  const auto found = rows_.find(id);
  return found == rows_.end() ? nullptr : &found->second.member;
}

std::vector<v1::Member> Registry::Members() const {
  std::vector<v1::Member> members;
  members.reserve(rows_.size());
  for (const auto& [id, row] : rows_) members.push_back(row.member);
  return members;
}

std::vector<v1::Member> Registry::TakeChanges() { return std::exchange(change_log_, {}); }

uint32_t Registry::ChooseSlot(uint32_t former, uint32_t wanted) const {
  std::set<uint32_t> taken;
  for (const auto& [id, row] : rows_) {
    if (IsLiving(row.member) && !row.member.centre()) taken.insert(row.member.slot());
  }
  for (uint32_t slot : {former, wanted}) {
    if (slot < options_.max_members && !taken.contains(slot)) return slot;
  }
  uint32_t lowest = 0;
  while (taken.contains(lowest)) ++lowest;
  return lowest;
}

void Registry::Changed(const v1::Member& member) {
  ++changes_;
  change_log_.push_back(member);
}

void Registry::Depart(absl::Time now, Row& row, v1::PeerState state, std::string reason) {
  row.member.set_state(state);
  row.member.set_reason(std::move(reason));
  row.departed = now;
  --living_;
  Changed(row.member);
}

void Registry::ForgetOldest() {
  auto oldest = rows_.end();
  for (auto it = rows_.begin(); it != rows_.end(); ++it) {
    if (IsLiving(it->second.member)) continue;
    if (oldest == rows_.end() || it->second.departed < oldest->second.departed) oldest = it;
  }
  STARLING_CHECK(oldest != rows_.end());
  rows_.erase(oldest);
}

}  // namespace starling
