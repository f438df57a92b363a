// The part of Membership that looks for members and judges what it finds.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/membership/member_states.h"
#include "peer/membership/membership.h"
#include "peer/runtime/host_port.h"

namespace starling {
namespace {

// How many 99th percentiles of the round trip an answer may take.
constexpr double kRoundTripsOfPatience = 4;

}  // namespace

absl::Duration Membership::ping_timeout() const {
  return std::clamp(kRoundTripsOfPatience * round_trips_.percentile99(), options_.ping_timeout,
                    kLongestStretch * options_.ping_timeout);
}

absl::Duration Membership::period() const {
  // The helpers' call takes at least as long as the own one may.
  return std::max(options_.ping_interval, ping_timeout() / 0.6);
}

void Membership::ProbeNext(absl::Time now) {
  if (now < next_probe_) return;
  for (const auto& [number, probe] : probes_) {
    if (probe.in_turn) return;
  }
  next_probe_ = now + options_.ping_interval;
  const PeerId id = ring_.Next([this](PeerId candidate) {
    const Row& row = rows_.at(candidate);
    return (row.verdict == Verdict::kLiving || row.verdict == Verdict::kSuspect) &&
           probe_of_.count(candidate) == 0;
  });
  if (!id.empty()) StartProbe(now, rows_.at(id), /*in_turn=*/true);
}

void Membership::StartProbe(absl::Time now, Row& row, bool in_turn) {
  const PeerId id(row.member.peer_id());
  if (row.member.address() == self_.address()) {
    // No call is needed to know who answers there. It may be who we were before we lost our memory.
    if (!IsDeparted(row.member)) MarkDead(now, row, "this peer answers at its address");
    return;
  }
  if (probe_of_.count(id) > 0) return;
  counters_.set_probes(counters_.probes() + 1);
  row.probed = now;
  const uint64_t number = next_probe_number_++;
  Probe& probe = probes_[number];
  probe.target = id;
  probe.deadline = now + health_.Scale(period());
  probe.in_turn = in_turn;
  probe_of_[id] = number;
  Call(now, PingAction::Purpose::kProbe, row, health_.Scale(ping_timeout())).probe = number;
}

void Membership::LookAgain(absl::Time now, Row& row) {
  if (now - row.probed >= options_.ping_interval / 4) StartProbe(now, row);
}

void Membership::AskHelpers(absl::Time now, uint64_t number, Probe& probe) {
  const PeerId target = probe.target;
  std::vector<Row*> helpers = Choose(options_.helpers + 1, [](const Row& row) {
    return row.verdict == Verdict::kLiving && row.link == Link::kGood;
  });
  std::erase_if(helpers, [&](const Row* row) { return row->member.peer_id() == target.value(); });
  if (helpers.size() > static_cast<size_t>(options_.helpers)) helpers.pop_back();
  probe.asked = !helpers.empty();
  probe.helpers_waiting = static_cast<int>(helpers.size());
  if (helpers.empty()) return ProbeFailed(now, number);
  const absl::Duration left = std::max(probe.deadline - now, ping_timeout() / 2);
  probe.deadline = now + left;
  for (const Row* helper : helpers) {
    PingAction& call = Call(now, PingAction::Purpose::kHelp, *helper, left);
    call.probe = number;
    call.target = target;
  }
}

absl::optional<PingAction> Membership::OnPingRequest(absl::Time now,
                                                     const v1::ControlRequest& request) {
  if (Heard(now, request) == nullptr) return absl::nullopt;
  const v1::PingRequest& wanted = request.ping_request();
  for (const v1::Member& member : wanted.members()) Learn(now, member);
  Learn(now, wanted.target());
  const PeerId id(wanted.target().peer_id());
  if (id.empty() || !ValidateDialable(wanted.target().address()).ok()) return absl::nullopt;
  if (id.value() == self_.peer_id()) return absl::nullopt;
  counters_.set_helped(counters_.helped() + 1);
  PingAction call;
  call.purpose = PingAction::Purpose::kRelay;
  call.address = wanted.target().address();
  call.expected = id;
  call.sent = now;
  // No longer than a look of our own would take, whatever they ask for.
  call.timeout = std::clamp(absl::Milliseconds(wanted.timeout_ms()), absl::Milliseconds(1),
                            10 * options_.ping_interval);
  return call;
}

void Membership::OnHelperAnswer(absl::Time now, const PingAction& ping,
                                const v1::PingReport& report) {
  if (!report.answered()) return HelperIsDone(now, ping.probe);
  const auto found = probes_.find(ping.probe);
  Row* const row = Find(ping.target);
  if (found == probes_.end() || row == nullptr) return;
  ProbeSucceeded(ping.probe);
  Learn(now, report.target());
  if (row->unanswered >= kPatienceWithLink || row->link == Link::kUntried) {
    row->link = Link::kBroken;
    Show(now, *row, "");
  }
}

void Membership::HelperIsDone(absl::Time now, uint64_t number) {
  const auto found = probes_.find(number);
  if (found == probes_.end() || --found->second.helpers_waiting > 0) return;
  ProbeFailed(now, number);
}

void Membership::EndOverdueProbes(absl::Time now) {
  std::vector<uint64_t> overdue;
  for (const auto& [number, probe] : probes_) {
    if (now >= probe.deadline) overdue.push_back(number);
  }
  for (const uint64_t number : overdue) ProbeFailed(now, number);
}

void Membership::ProbeSucceeded(uint64_t number) {
  health_.Better();
  DropProbe(number);
}

void Membership::DropProbe(uint64_t number) {
  const auto found = probes_.find(number);
  if (found == probes_.end()) return;
  probe_of_.erase(found->second.target);
  probes_.erase(found);
}

void Membership::ProbeFailed(absl::Time now, uint64_t number) {
  const Probe probe = probes_.at(number);
  DropProbe(number);
  Row* const row = Find(probe.target);
  if (probe.forgiven || row == nullptr) return;
  counters_.set_probe_failures(counters_.probe_failures() + 1);
  if (probe.asked) {
    health_.Worse(probe.helpers_silent + std::max(0, probe.helpers_waiting));
  } else if (!probe.refused) {
    health_.Worse();
  }
  const PeerId self(self_.peer_id());
  if (row->verdict == Verdict::kLiving) {
    Suspect(now, *row, {self},
            absl::StrCat("no answer: ", row->failure.empty() ? "too late" : row->failure));
  } else if (row->verdict == Verdict::kSuspect && row->suspicion->Accuse(self)) {
    News(probe.target);
  }
}

void Membership::Suspect(absl::Time now, Row& row, const std::vector<PeerId>& accusers,
                         const std::string& reason) {
  counters_.set_suspicions(counters_.suspicions() + 1);
  row.suspicion.emplace(options_, members(), now);
  for (const PeerId accuser : accusers) row.suspicion->Accuse(accuser);
  SetVerdict(now, row, Verdict::kSuspect, reason);
  News(PeerId(row.member.peer_id()));
}

void Membership::MarkDead(absl::Time now, Row& row, std::string reason) {
  counters_.set_deaths(counters_.deaths() + 1);
  SetVerdict(now, row, Verdict::kDead, reason);
  row.next_call = now + (0.5 + 0.5 * random_.Uniform()) * options_.heal_interval;
  News(PeerId(row.member.peer_id()));
}

// What follows from time passing.
void Membership::Judge(absl::Time now, Row& row) {
  const absl::Duration silence = now - row.heard;
  if (row.verdict == Verdict::kSuspect && now >= row.suspicion->deadline() &&
      silence >= options_.SuspicionMin(members())) {
    std::string reason =
        row.met ? absl::StrFormat("silent for %.1f s", absl::ToDoubleSeconds(silence))
                : "never answered";
    if (!row.failure.empty()) absl::StrAppend(&reason, " (", row.failure, ")");
    MarkDead(now, row, std::move(reason));
  }
  // Called rarely, so heard rarely.
  if (row.verdict == Verdict::kIncompatible &&
      silence >= 2 * options_.heal_interval + options_.SuspicionMin(members())) {
    SetVerdict(now, row, Verdict::kDead, "silent, and of another run");
  }
  if (row.member.state() == v1::PEER_STATE_QUARANTINED && now >= row.quarantined_until) {
    Show(now, row, "forgiven");
  }
}

}  // namespace starling
