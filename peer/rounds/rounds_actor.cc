#include "peer/rounds/rounds_actor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/rounds/neighbour_round.h"
#include "peer/rounds/reduce_round.h"
#include "peer/runtime/check.h"
#include "peer/runtime/effective_value.h"
#include "peer/runtime/failpoint.h"

namespace starling {
namespace {

// Called directly on the control executor; nothing is posted from outside.
constexpr size_t kMailbox = 64;

}  // namespace

RoundsActor::RoundsActor(const Deps& deps, const FrameIdentity& self, std::vector<RoundSpec> specs,
                         uint64_t seed, RoundsOptions options)
    : Actor(deps.control, kMailbox),
      deps_(deps),
      self_(self),
      seed_(seed),
      options_(options),
      timers_(specs.size(), 0) {
  lanes_.reserve(specs.size());
  for (RoundSpec& spec : specs) lanes_.emplace_back(std::move(spec), options.timing);
}

void RoundsActor::SetMembers(std::map<PeerId, RoundMember> members) {
  AssertHere();
  bool changed = members.size() != members_.size();
  for (const auto& [peer, member] : members_) {
    const auto found = members.find(peer);
    changed |= found == members.end() || found->second.finished != member.finished;
    // Who comes back, comes back as somebody who may train.
    if (found != members.end()) continue;
    retired_.erase(peer);
    for (Lane& lane : lanes_) lane.positions.Forget(peer);
  }
  members_ = std::move(members);
  if (!changed || stopped_) return;
  for (size_t index = 0; index < lanes_.size(); ++index) {
    Lane& lane = lanes_[index];
    if (!lane.running) continue;
    Round& round = *lane.running->round;
    Carry(index, lane.running->number, round, round.OnMembers(Now(), IdsOfRunning(lane)));
    EndIfDone(index);
  }
}

std::vector<PeerId> RoundsActor::Ids(const Lane& lane) const {
  const bool background = lane.spec.delay == RoundSpec::kBackground;
  std::vector<PeerId> ids;
  for (const auto& [peer, member] : members_) {
    const bool takes_part =
        lane.spec.final_merge || (retired_.count(peer) == 0 && !(background && member.finished));
    if (takes_part) ids.push_back(peer);
  }
  ids.insert(std::lower_bound(ids.begin(), ids.end(), self_.peer), self_.peer);
  return ids;
}

// Who has finished meanwhile has contributed all the same: to count it out now would make somebody else the
// owner of its shards, of which there would be two means.
std::vector<PeerId> RoundsActor::IdsOfRunning(const Lane& lane) const {
  std::vector<PeerId> ids = Ids(lane);
  for (const PeerId peer : lane.running->planned) {
    if (members_.count(peer) == 0 || retired_.count(peer) > 0) continue;
    const auto at = std::lower_bound(ids.begin(), ids.end(), peer);
    if (at == ids.end() || *at != peer) ids.insert(at, peer);
  }
  return ids;
}

RoundsActor::Deadline RoundsActor::DeadlineFor(const Lane& lane, bool with_source) const {
  const PastExchanges& past = lane.timing.past();
  ExchangeTimingOptions timing = options_.timing;
  if (lane.spec.final_merge) timing.floor = timing.ceiling = options_.final_deadline;
  const ExchangeTerms terms{.bytes = lane.bytes};
  ExchangeDeadline deadline = DeadlineOf(terms, past, timing);
  const absl::Duration between = std::min(8 * lane.between, options_.timing.ceiling);
  const bool slow_steps = !lane.spec.final_merge && between > deadline.slack;
  if (slow_steps) {
    deadline.after += between - deadline.slack;
    deadline.slack = between;
  }
  Deadline result{deadline.after, deadline.transfer, ""};
  if (!with_source) return result;
  result.source = slow_steps ? absl::StrCat(ShortText(between), ": 8 x the ", ShortText(lane.between),
                                            " of steps between two rounds; and 2 x ",
                                            ShortText(deadline.transfer), " of transfers")
                             : deadline.Source(terms, past, timing);
  return result;
}

RoundTimes RoundsActor::TimesOf(const Lane& lane) const {
  const Deadline deadline = DeadlineFor(lane);
  const absl::Duration usual =
      std::clamp(4 * lane.timing.smoothed(), options_.min_retry, absl::Seconds(2));
  return {std::max(std::min(usual, deadline.after / 4), deadline.transfer), deadline.after};
}

std::unique_ptr<Round> RoundsActor::Plan(Lane& lane, uint64_t number, bool global,
                                         std::vector<PeerId> ids, RoundInput input) {
  const size_t rank = static_cast<size_t>(
      std::lower_bound(ids.begin(), ids.end(), self_.peer) - ids.begin());
  if (global || lane.spec.topology->everyone()) {
    // Contributions and means, each out and in, but for the part that is owned here.
    lane.bytes = ids.size() < 2 ? 0 : 4 * input.values.size() * (ids.size() - 1) / ids.size();
    return std::make_unique<ReduceRound>(number, std::move(ids), self_.peer, std::move(input),
                                         TimesOf(lane), deps_.pool);
  }
  lane.bytes = 0;
  std::vector<NeighbourRound::Links> links(input.shards.count());
  for (uint32_t segment = 0; segment < links.size(); ++segment) {
    const Neighbours neighbours =
        lane.spec.topology->Of(
            {ids.size(), rank, number, lane.spec.by_segment ? segment : 0, seed_});
    for (const Inbound& in : neighbours.in) links[segment].in[ids[in.from]] = in.weight;
    for (const size_t out : neighbours.out) links[segment].out.push_back(ids[out]);
    lane.bytes += (neighbours.in.size() + neighbours.out.size()) * input.shards.length(segment) *
                  sizeof(float);
  }
  return std::make_unique<NeighbourRound>(std::move(links), std::move(input), lane.spec.moves_mass,
                                          TimesOf(lane), deps_.pool);
}

void RoundsActor::OnContribution(Contribution contribution) {
  AssertHere();
  if (stopped_) return;
  const size_t index = contribution.spec;
  Lane& lane = lanes_[index];
  STARLING_CHECK(!lane.running);
  // The step tells the number only before the first round: background rounds leave some steps out.
  uint64_t number =
      lane.positions.Choose(Now(), lane.next, lane.behind, PositionsLast(lane));
  lane.behind = false;
  if (!lane.counted) number = std::max(number, contribution.step / lane.spec.period);
  lane.counted = true;
  if (lane.ended <= Now()) lane.between = Now() - lane.ended;
  // Whatever the number, everybody must speak of the same fragment.
  while (number % lane.spec.fragments != contribution.fragment) ++number;
  lane.next = number + 1;

  const bool global = lane.global.IsGlobal(number);
  RoundInput input;
  input.values = contribution.values;
  input.shards = ShardMap{contribution.values.size() / sizeof(float), self_.shards.shard_elements};
  input.mass = contribution.mass;
  input.loss = contribution.loss;
  std::vector<PeerId> ids = Ids(lane);
  std::set<PeerId> planned(ids.begin(), ids.end());
  std::unique_ptr<Round> round = Plan(lane, number, global, std::move(ids), std::move(input));
  lane.running = Running{number, std::move(round), Now(), DeadlineFor(lane).after, global,
                         std::move(planned)};
  counters_.set_rounds_joined(counters_.rounds_joined() + 1);
  Failpoint("round.begun");
  Carry(index, number, *lane.running->round, lane.running->round->Begin(Now()));
  Replay(index);
  EndIfDone(index);
}

Round* RoundsActor::Find(Lane& lane, uint64_t number) {
  if (lane.running && lane.running->number == number) return lane.running->round.get();
  for (Past& past : lane.past) {
    if (past.number == number) return past.round.get();
  }
  return nullptr;
}

absl::optional<FrameFault> RoundsActor::OnFrame(Frame frame,
                                                const std::shared_ptr<ReplyPath>& reply) {
  AssertHere();
  const v1::ShardHeader header = frame.header;
  if (lanes_.empty()) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST, "this algorithm has no rounds"};
  }
  const size_t index = header.round() % lanes_.size();
  const uint64_t number = header.round() / lanes_.size();
  Lane& lane = lanes_[index];
  if (number < lane.next + kFarthest) {
    NotePosition(lane, PeerId(header.sender()), number);
    const bool tells = header.kind() == v1::FRAME_KIND_NEIGHBOUR_VALUES;
    lane.global.OnHeard(number, header.next_global(), tells ? header.loss() : 0);
  }
  Round* const round = Find(lane, number);
  if (round != nullptr) {
    if (header.kind() == v1::FRAME_KIND_REDUCE) Failpoint("round.contribution_received");
    if (header.kind() == v1::FRAME_KIND_AVERAGE) Failpoint("round.mean_received");
    if (header.kind() == v1::FRAME_KIND_NEIGHBOUR_VALUES) Failpoint("neighbours.values_received");
    Round::Outcome outcome = round->OnFrame(Now(), header, std::move(frame.payload));
    if (outcome.fault) outcome.fault->current_round = WireNumber(index, PositionOf(lane));
    Carry(index, number, *round, std::move(outcome.sends), reply.get(), PeerId(header.sender()));
    EndIfDone(index);
    return std::move(outcome.fault);
  }
  if (stopped_ || (finished_ && !lane.spec.final_merge)) {
    return FrameFault{v1::REFUSAL_REASON_NOT_TRAINING, "this peer takes part in no more rounds"};
  }
  if (number >= lane.next && number - lane.next < kFarthest) {
    KeepEarly(std::move(frame), reply);
    return absl::nullopt;
  }
  return FrameFault{v1::REFUSAL_REASON_UNKNOWN_ROUND,
                    absl::StrCat("round ", number, " is over, or this peer was not in it"),
                    WireNumber(index, PositionOf(lane))};
}

void RoundsActor::KeepEarly(Frame frame, std::shared_ptr<ReplyPath> reply) {
  early_bytes_ += frame.payload.size();
  early_.push_back({std::move(frame), std::move(reply)});
  while (early_.size() > MostEarly() || early_bytes_ > options_.early_bytes) {
    early_bytes_ -= early_.front().frame.payload.size();
    early_.pop_front();
  }
}

void RoundsActor::Replay(size_t index) {
  const uint64_t number = lanes_[index].running->number;
  std::deque<Early> waiting;
  waiting.swap(early_);
  early_bytes_ = 0;
  for (Early& early : waiting) {
    const uint64_t wire = early.frame.header.round();
    if (wire % lanes_.size() != index || wire / lanes_.size() > number) {
      KeepEarly(std::move(early.frame), std::move(early.reply));
    } else if (wire / lanes_.size() == number) {
      OnFrame(std::move(early.frame), early.reply);
    }
  }
}

void RoundsActor::OnRefusal(const v1::ShardHeader& header) {
  AssertHere();
  if (lanes_.empty() || stopped_) return;
  const size_t index = header.round() % lanes_.size();
  Lane& lane = lanes_[index];
  if (header.refusal() == v1::REFUSAL_REASON_CORRUPT || header.refusal() == v1::REFUSAL_REASON_BUSY) {
    return;  // sent again in its turn
  }
  NotePosition(lane, PeerId(header.sender()), header.current_round() / lanes_.size());
  // Who refuses a round has gone on, or will not take part in it: no use in asking for the next ones.
  if (header.refusal() == v1::REFUSAL_REASON_NOT_TRAINING) {
    if (members_.count(PeerId(header.sender())) > 0) retired_.insert(PeerId(header.sender()));
  } else if (header.refusal() == v1::REFUSAL_REASON_UNKNOWN_ROUND) {
    lane.behind = true;
  }
  if (!lane.running || lane.running->number != header.round() / lanes_.size()) return;
  Round& round = *lane.running->round;
  if (header.refusal() != v1::REFUSAL_REASON_NOT_TRAINING) round.OnBehind(Now());
  Carry(index, lane.running->number, round, round.OnAbsent(Now(), PeerId(header.sender())));
  EndIfDone(index);
}

void RoundsActor::NotePosition(Lane& lane, PeerId peer, uint64_t number) {
  if (members_.count(peer) == 0 || number >= lane.next + kFarthest) return;
  lane.positions.OnHeard(Now(), peer, number, PositionsLast(lane));
}

absl::Duration RoundsActor::PositionsLast(const Lane& lane) const {
  return std::max(DeadlineFor(lane).after, 2 * lane.between);
}

uint64_t RoundsActor::PositionOf(const Lane& lane) const {
  return lane.next > 0 ? lane.next - 1 : 0;
}

void RoundsActor::Carry(size_t index, uint64_t number, const Round& round, Round::Sends sends,
                        ReplyPath* way_back, PeerId asker) {
  const ShardMap& shards = round.shards();
  for (Round::Send& send : sends) {
    Frame frame;
    StampHeader(self_, 0, frame.header);
    v1::ShardHeader& header = frame.header;
    header.set_kind(send.kind);
    header.set_lane(v1::ROUND_LANE_ALGORITHM);
    header.set_round(WireNumber(index, number));
    header.set_shard(send.shard);
    header.set_shard_count(shards.count());
    header.set_offset(shards.offset(send.shard));
    header.set_elements(static_cast<uint32_t>(shards.length(send.shard)));
    header.set_mass(send.mass);
    header.set_loss(send.kind == v1::FRAME_KIND_NEIGHBOUR_VALUES ? lanes_[index].global.reference()
                                                                 : send.loss);
    header.set_next_global(lanes_[index].global.next());
    if (send.contributors != nullptr) {
      for (const PeerId peer : *send.contributors) header.add_contributors(peer.value());
    }
    frame.payload = std::move(send.values);
    const auto member = members_.find(send.to);
    // What a full queue drops is sent again, like what the network loses.
    if (member != members_.end()) {
      deps_.transport->SendFrame(member->second.address, std::move(frame)).IgnoreError();
    } else if (way_back != nullptr && send.to == asker) {
      way_back->Send(std::move(frame));
    }
    if (send.kind == v1::FRAME_KIND_REDUCE) Failpoint("round.contribution_sent");
    if (send.kind == v1::FRAME_KIND_AVERAGE) Failpoint("round.mean_sent");
    if (send.kind == v1::FRAME_KIND_NEIGHBOUR_VALUES) Failpoint("neighbours.values_sent");
  }
}

void RoundsActor::EndIfDone(size_t index) {
  Lane& lane = lanes_[index];
  if (stopped_ || !lane.running || !lane.running->round->ended()) {
    SetTimer(index);
    return;
  }
  Running running = *std::move(lane.running);
  lane.running.reset();
  lane.ended = Now();
  RoundResult result = running.round->TakeResult();
  counters_.set_shards_applied(counters_.shards_applied() + running.round->shards().count());
  counters_.set_last_round(running.number);
  if (result.missed == 0 || members_.empty()) {
    counters_.set_rounds_complete(counters_.rounds_complete() + 1);
    lane.timing.OnCommitted(Now() - running.began, members_.empty() ? 0 : lane.bytes);
  } else {
    counters_.set_rounds_partial(counters_.rounds_partial() + 1);
    counters_.set_shards_missed(counters_.shards_missed() + result.missed);
    if (Now() - running.began >= running.deadline) lane.timing.OnGivenUp();
  }
  counters_.set_round_seconds(absl::ToDoubleSeconds(lane.timing.smoothed()));
  if (running.global) lane.global.OnGlobal(running.number, result.loss);
  lane.past.push_back(Past{running.number, std::move(running.round)});
  if (lane.past.size() > kKept) lane.past.pop_front();
  SetTimer(index);
  Failpoint("round.ended");
  deps_.finish(MixedRound{index, running.number, std::move(result.mixed), result.mass});
}

void RoundsActor::SetTimer(size_t index) {
  CancelTimer(timers_[index]);
  timers_[index] = 0;
  Lane& lane = lanes_[index];
  if (stopped_) return;
  absl::Time wake = absl::InfiniteFuture();
  if (lane.running) wake = lane.running->round->NextWake();
  for (const Past& past : lane.past) wake = std::min(wake, past.round->NextWake());
  if (wake == absl::InfiniteFuture()) return;
  timers_[index] = ScheduleAt(wake, [this, index] {
    timers_[index] = 0;
    OnTimer(index);
  });
}

void RoundsActor::OnTimer(size_t index) {
  Lane& lane = lanes_[index];
  for (Past& past : lane.past) {
    Carry(index, past.number, *past.round, past.round->OnTime(Now()));
  }
  if (lane.running) {
    Carry(index, lane.running->number, *lane.running->round, lane.running->round->OnTime(Now()));
  }
  EndIfDone(index);
}

void RoundsActor::Stop() {
  AssertHere();
  stopped_ = true;
  for (size_t index = 0; index < lanes_.size(); ++index) {
    SetTimer(index);
    lanes_[index].running.reset();
  }
  early_.clear();
  early_bytes_ = 0;
}

void RoundsActor::AddHoldings(Holdings* holdings) const {
  holdings->push_back({"frames of later rounds", early_.size(), MostEarly()});
  holdings->push_back({"members without rounds", retired_.size(), members_.size()});
  for (const Lane& lane : lanes_) holdings->push_back({"past rounds", lane.past.size(), kKept});
}

std::vector<v1::EffectiveValue> RoundsActor::EffectiveValues() const {
  std::vector<v1::EffectiveValue> values;
  for (const Lane& lane : lanes_) {
    Deadline deadline = DeadlineFor(lane, /*with_source=*/true);
    values.push_back(Effective(lane.spec.final_merge ? "final merge deadline" : "round deadline",
                               deadline.after, std::move(deadline.source)));
  }
  return values;
}

v1::AveragingStatus RoundsActor::Status() const {
  AssertHere();
  return counters_;
}

}  // namespace starling
