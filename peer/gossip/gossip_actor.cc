#include "peer/gossip/gossip_actor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/runtime/effective_value.h"

namespace starling {
namespace {

// One in a hundred million: it has probably stopped.
constexpr double kStalled = 8;

constexpr double kDistanceDecay = 0.7;
// The gossip actor's mailbox is not used for outside traffic: the transport bounds that.
constexpr size_t kMailbox = 1024;

// Of one whole exchange, in both directions: at most, for replies may be coded.
uint64_t ExchangeBytes(const Algorithm& algorithm, const CodecChoice& codecs, size_t elements) {
  if (algorithm.mix == nullptr) return 0;
  uint64_t bytes = 0;
  if (algorithm.mix->request_has_payload()) {
    bytes += elements * codecs.request->contract().bytes_per_element;
  }
  if (algorithm.mix->reply_has_payload()) bytes += elements * sizeof(float);
  return bytes;
}

// What then still lies in buffers gets as long again.
absl::Duration StalenessBound(uint64_t bytes, const ExchangeTimingOptions& options) {
  return 2 * DeadlineOf({.bytes = bytes}, {}, options).after;
}

}  // namespace

GossipActor::GossipActor(Executor* control, Transport* transport, ParameterOwner* parameters,
                         const FrameIdentity& self, Algorithm algorithm, Random random,
                         GossipOptions options, LinkBudget* link)
    : Actor(control, kMailbox),
      transport_(transport),
      parameters_(parameters),
      self_(self),
      algorithm_(std::move(algorithm)),
      options_(options),
      random_(random),
      next_exchange_((self.incarnation << 20) + 1),
      ledger_(self.shards.count(), options.ledger_pages),
      budget_(link, algorithm_, options_.codecs, self.shards),
      staleness_gate_(
          self.incarnation,
          StalenessBound(ExchangeBytes(algorithm_, options_.codecs, self.shards.elements),
                         options.timing)),
      all_(options.timing) {}

void GossipActor::SetCandidates(std::map<PeerId, Contact> contacts, std::set<PeerId> silent) {
  AssertHere();
  std::map<PeerId, StalenessGate::Word> words;
  for (const auto& [peer, contact] : contacts) words[peer] = {contact.incarnation, contact.step};
  std::erase_if(timings_, [&](const auto& entry) {
    return contacts.count(entry.first) == 0 && silent.count(entry.first) == 0;
  });
  staleness_gate_.SetMembers(Now(), words, std::move(silent));
  for (const auto& [peer, contact] : candidates_) {
    if (contacts.count(peer) > 0) continue;
    ledger_.OnPeerGone(peer);
    budget_.OnPeerGone(peer);
  }
  candidates_ = std::move(contacts);
  if (outgoing_ != nullptr && !IsCandidate(outgoing_->peer(), outgoing_->address())) GiveUp();
}

bool GossipActor::IsCandidate(PeerId peer, const std::string& address) const {
  const auto found = candidates_.find(peer);
  return found != candidates_.end() && found->second.address == address;
}

void GossipActor::Begin(uint64_t step) {
  AssertHere();
  last_step_ = step;
  last_commit_step_ = step;
}

void GossipActor::SetAccepting(bool accepting) {
  AssertHere();
  accepting_ = accepting;
}

void GossipActor::OnStep(uint64_t step, double loss) {
  AssertHere();
  loss_ = loss;
  // A standstill is no step.
  if (!in_touch_()) pace_.Interrupt();
  pace_.OnStep(Now(), step);
  if (algorithm_.mix == nullptr) {
    last_step_ = step;
    return;
  }
  bool triggered = false;
  for (; last_step_ < step; ++last_step_) {
    triggered |= algorithm_.schedule->Triggers(last_step_ + 1, random_);
  }
  if (!triggered) return;
  ++due_;
  if (!accepting_ || draining_ || outgoing_ != nullptr || snapshot_pending_ || !in_touch_()) return;
  std::vector<Candidate> others;
  for (const auto& [peer, contact] : candidates_) {
    others.push_back({peer, contact.centre, contact.loss});
  }
  const Selection selection{others, Candidate{self_.peer, false, loss_}, due_ - 1};
  absl::optional<Choice> choice = algorithm_.selector->Select(selection, random_);
  if (choice && candidates_.at(choice->peer).straggler > kStalled) {
    choice = algorithm_.selector->Select(selection, random_);
  }
  if (choice) {
    StartExchange(*choice, candidates_.at(choice->peer).address);
  } else if (!algorithm_.tethers.empty()) {
    parameters_->DropAnchors();
  }
}

void GossipActor::SetPayload(Frame& frame, CodedBytes payload) {
  if (payload.empty()) return;
  bytes_saved_ += static_cast<int64_t>(frame.header.elements() * sizeof(float)) -
                  static_cast<int64_t>(payload.bytes.size());
  frame.header.set_codec(payload.codec);
  frame.payload = std::move(payload.bytes);
}

ExchangeTerms GossipActor::TermsWith(const Contact& contact) const {
  return {ExchangeBytes(algorithm_, options_.codecs, self_.shards.elements), contact.round_trip,
          pace_.step_time(), contact.step_time};
}

ExchangeTiming& GossipActor::TimingOf(PeerId peer) {
  return timings_.try_emplace(peer, options_.timing).first->second;
}

PastExchanges GossipActor::PastWith(PeerId peer) const {
  const auto known = timings_.find(peer);
  PastExchanges past = known == timings_.end() ? PastExchanges() : known->second.past();
  if (past.any) return past;
  past.any = all_.past().any;
  past.smoothed = all_.past().smoothed;
  return past;
}

void GossipActor::ReportDrained() {
  if (drained_ == nullptr) return;
  auto done = std::move(drained_);
  drained_ = nullptr;
  done();
}

absl::optional<FrameFault> GossipActor::OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) {
  AssertHere();
  switch (frame.header.kind()) {
    case v1::FRAME_KIND_MIX_REQUEST:
      return OnRequest(std::move(frame), std::move(reply));
    case v1::FRAME_KIND_MIX_REPLY:
      OnReply(frame);
      return absl::nullopt;
    case v1::FRAME_KIND_SETTLE:
      OnSettle(frame.header);
      return absl::nullopt;
    case v1::FRAME_KIND_REFUSAL:
      OnRefusal(frame.header, reply.get());
      return absl::nullopt;
    default:
      return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST, "not a frame of an exchange"};
  }
}

void GossipActor::Drain(absl::Time deadline, absl::AnyInvocable<void()> done) {
  AssertHere();
  STARLING_CHECK(!draining_);
  draining_ = true;
  if (outgoing_ == nullptr) {
    done();
    return;
  }
  drained_ = std::move(done);
  ScheduleAt(deadline, [this] {
    if (drained_ == nullptr) return;
    auto late = std::move(drained_);
    drained_ = nullptr;
    // Replies that are being applied end the exchange in their own time; nobody waits for that.
    GiveUp();
    late();
  });
}

void GossipActor::NoteDistance(double squared_distance) {
  // Two peers drawn from the swarm are sqrt(2) as far apart as either is from the average.
  const double squared = squared_distance / 2;
  squared_consensus_distance_ =
      has_distance_
          ? kDistanceDecay * squared_consensus_distance_ + (1 - kDistanceDecay) * squared
          : squared;
  has_distance_ = true;
}

void GossipActor::AddHoldings(Holdings* holdings) const {
  holdings->push_back({"pages of answers", ledger_.pages(), options_.ledger_pages});
  holdings->push_back({"shards that wait for an answer", pending_answers_,
                       options_.pending_answers});
  holdings->push_back({"outcomes remembered", outcomes_.size(), kRemembered});
  holdings->push_back({"answers put aside", budget_.answers(), ExchangeBudget::kMostAnswers});
  holdings->push_back({"partners measured", timings_.size(), options_.ledger_pages});
}

std::vector<v1::EffectiveValue> GossipActor::EffectiveValues() const {
  if (algorithm_.mix == nullptr) return {};
  const std::map<PeerId, Contact> nobody = {{PeerId(), Contact("")}};
  const std::map<PeerId, Contact>& partners = candidates_.empty() ? nobody : candidates_;
  const auto deadline = [this](const std::pair<const PeerId, Contact>& whom) {
    return DeadlineOf(TermsWith(whom.second), PastWith(whom.first), options_.timing);
  };
  const auto [shortest, longest] =
      std::minmax_element(partners.begin(), partners.end(), [&](const auto& a, const auto& b) {
        return deadline(a).after < deadline(b).after;
      });
  const auto row = [&](absl::string_view name, const std::pair<const PeerId, Contact>& whom) {
    const ExchangeDeadline known = deadline(whom);
    return Effective(name, known.after,
                     absl::StrCat(whom.first.empty() ? "" : "with peer ",
                                  whom.first.empty() ? "" : whom.first.ToString() + ": ",
                                  known.Source(TermsWith(whom.second), PastWith(whom.first),
                                               options_.timing)));
  };
  std::vector<v1::EffectiveValue> values = {row("exchange deadline", *shortest)};
  if (deadline(*longest).after > deadline(*shortest).after) {
    values.push_back(row("exchange deadline, longest", *longest));
  }
  values.push_back(Effective("exchange sent again", deadline(*shortest).resend_after(),
                             "a quarter of the deadline, or the least time, without a reply"));
  return values;
}

v1::GossipStatus GossipActor::Status() const {
  v1::GossipStatus status = counters_;
  status.set_exchanges_answered(ledger_.exchanges_answered());
  status.set_orphaned_deltas(ledger_.orphans());
  status.set_orphaned_delta_norm(ledger_.orphaned_norm());
  status.set_consensus_distance(std::sqrt(squared_consensus_distance_));
  if (algorithm_.mix != nullptr) {
    if (algorithm_.mix->request_has_payload()) {
      status.set_request_codec(options_.codecs.request->spec());
    }
    if (algorithm_.mix->reply_has_payload()) status.set_reply_codec(options_.codecs.reply->spec());
  }
  status.set_bytes_sent_as_fp32(static_cast<uint64_t>(std::max<int64_t>(bytes_saved_, 0)));
  status.set_exchange_seconds(absl::ToDoubleSeconds(all_.smoothed()));
  budget_.FillStatus(Now(), status.mutable_budget());
  return status;
}

}  // namespace starling
