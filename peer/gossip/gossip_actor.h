// Runs exchanges: decides when and with whom (by the algorithm's policies), carries the two halves
// of the delta-commit transaction between the transport and the trainer, and keeps the books.
//
// The decisions live in pure parts that it composes: Schedule, PeerSelector, MixRule,
// OutgoingExchange (initiator), ReplyLedger (responder), ExchangeTiming. peer/README.md tells the
// life of an exchange. Rules it enforces:
//   * one outstanding outgoing exchange; a trigger meanwhile is skipped;
//   * crossing: asked by the very peer that it asks itself, the lower id's request goes on and the
//     other's is refused as CROSSED, or not even sent if it was about to be;
//   * what was answered once is answered again to whoever asks again, and never refused;
//   * at most `pending_answers` shards wait for the trainer on behalf of others, beyond that BUSY;
//   * a peer that stops being a candidate is abandoned at once;
//   * each exchange has a deadline of its own (exchange_deadline.h), by what those with the same partner took;
//   * after a standstill of this process nothing is begun, and no request answered, until it has heard what
//     became of the swarm (SetInTouch);
//   * what the limits of the link do not allow is written coarser, skipped or refused as BUSY (ExchangeBudget);
//   * requests that speak of the past are refused as STALE (StalenessGate), and values out of scale, which the
//     trainer finds (DataGate), as OUT_OF_SCALE; a reply like that is not committed.
//
// Executor: control. Every method runs there.

#ifndef STARLING_PEER_GOSSIP_GOSSIP_ACTOR_H_
#define STARLING_PEER_GOSSIP_GOSSIP_ACTOR_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/types/optional.h"
#include "peer/gossip/admission.h"
#include "peer/gossip/algorithm.h"
#include "peer/gossip/codec_choice.h"
#include "peer/gossip/exchange_budget.h"
#include "peer/gossip/exchange_deadline.h"
#include "peer/gossip/exchange_timing.h"
#include "peer/gossip/outgoing_exchange.h"
#include "peer/gossip/reply_ledger.h"
#include "peer/gossip/staleness_gate.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/holding.h"
#include "peer/runtime/random.h"
#include "peer/runtime/step_pace.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/transport.h"
#include "proto/status.pb.h"

namespace starling {

struct GossipOptions {
  ExchangeTimingOptions timing;
  // Shards of others that may wait for our trainer. Up: fewer BUSY refusals under bursts, more
  // memory (one shard each). Default 256 MiB worth of default shards.
  uint32_t pending_answers = 256;
  // Initiators whose last exchange is remembered. More than the swarm ever has members.
  size_t ledger_pages = 1024;
  // CheckCodecs accepts them for the algorithm.
  CodecChoice codecs;
};

// Somebody with whom exchanges may be made.
struct Contact {
  Contact(std::string its_address)  // NOLINT(google-explicit-constructor)
      : address(std::move(its_address)) {}
  Contact(const char* its_address)  // NOLINT(google-explicit-constructor)
      : address(its_address) {}

  std::string address;
  bool centre = false;
  double loss = 0;
  // How unusual its silence in training is (peer/membership/straggler.h). Above 8 it is chosen only if
  // a second draw says so too.
  double straggler = 0;
  // As it says itself; incarnation 0: unknown.
  Incarnation incarnation = 0;
  uint64_t step = 0;
  // Of a control call, and how long a step takes it; 0: unknown.
  absl::Duration round_trip;
  absl::Duration step_time;
};

class GossipActor : public Actor {
 public:
  // `link`: not owned; charged by whoever sends and receives; null: nothing is limited.
  GossipActor(Executor* control, Transport* transport, ParameterOwner* parameters,
              const FrameIdentity& self, Algorithm algorithm, Random random, GossipOptions options,
              LinkBudget* link = nullptr);

  // Who hears of values that were found unfit only at the trainer: OUT_OF_SCALE. To be called with the header
  // of the request or reply, and where a refusal goes, null for replies. Default: nobody.
  using LateRefusal = std::function<void(const v1::ShardHeader&, FrameFault, ReplyPath*)>;
  void SetLateRefusal(LateRefusal refuse) { late_refusal_ = std::move(refuse); }

  // Asked before an exchange is begun or answered: is what we know of the swarm of now? Default: always.
  void SetInTouch(std::function<bool()> in_touch) { in_touch_ = std::move(in_touch); }

  // Those with whom exchanges may be made now: alive and training, or the centre; never self. `silent`:
  // members that do not answer, and are not listened to either.
  void SetCandidates(std::map<PeerId, Contact> contacts, std::set<PeerId> silent = {});

  // Training begins after `step` steps (a newcomer's donor had made them): earlier steps trigger
  // nothing.
  void Begin(uint64_t step);

  // This peer trains from now on (or no longer): it answers exchanges (or refuses NOT_TRAINING).
  void SetAccepting(bool accepting);

  // The trainer has made its `step`-th step; its running loss. Steps may be reported in leaps; each is
  // considered.
  void OnStep(uint64_t step, double loss = 0);

  // A MIX_REQUEST, MIX_REPLY, SETTLE or a REFUSAL of one of them, already admitted. Returns why the
  // frame is refused, if it is.
  absl::optional<FrameFault> OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply);

  // The data path to an address broke: what is outstanding there is sent once more, then given up.
  void OnPathBroken(const std::string& address);

  // From now on starts nothing new and refuses new requests. Calls `done` when the outgoing exchange
  // has ended (at once if there is none), or at `deadline` after giving it up. Once only.
  void Drain(absl::Time deadline, absl::AnyInvocable<void()> done);

  // Counters of v1.GossipStatus that belong to exchanges (bytes and refusals are the router's;
  // bytes_sent_as_fp32 is what codecs have saved, to be added to the bytes).
  v1::GossipStatus Status() const;
  std::vector<v1::EffectiveValue> EffectiveValues() const;
  void AddHoldings(Holdings* holdings) const;

 private:
  absl::optional<FrameFault> OnRequest(Frame frame, std::shared_ptr<ReplyPath> reply);
  void OnReply(const Frame& frame);
  void OnSettle(const v1::ShardHeader& header);
  // Where replies to its sender go; may be null.
  void OnRefusal(const v1::ShardHeader& header, ReplyPath* path);
  // One that was damaged on the way.
  void RepeatReply(const v1::ShardHeader& refusal, ReplyPath& path);

  bool IsCandidate(PeerId peer, const std::string& address) const;
  void StartExchange(Choice choice, const std::string& address);
  void OnSnapshotPart(SnapshotPart part, const std::string& address);
  void BeginExchange(Snapshot snapshot, uint32_t there, const std::string& address);
  void ReturnMass(uint32_t shard);
  void SendRequests();
  void SendRequest(uint32_t shard);
  // Of the whole exchange under way.
  size_t RequestBytes() const;
  CodedBytes SnapshotOf(uint32_t shard) const;
  // What an exchange with it would be by what is known now.
  ExchangeTerms TermsWith(const Contact& contact) const;
  // What is known of those before: with it, or, before the first with it, with whomever.
  PastExchanges PastWith(PeerId peer) const;
  ExchangeTiming& TimingOf(PeerId peer);
  void ArmTimers();
  void ArmResend(absl::Duration wait, absl::Duration patience, int left);
  void GiveUp();
  void FinishIfDone();
  void ReportDrained();
  void SendSettle(const std::string& address, ExchangeId exchange, uint32_t shard, bool committed);
  void SendReply(ReplyPath& path, PeerId initiator, ExchangeId exchange, uint32_t shard,
                 MixAnswer answer);
  // Of what we send: attaches it, and counts what the codec saves.
  void SetPayload(Frame& frame, CodedBytes payload);
  void NoteDistance(double squared_distance);

  // Constant after construction.
  Transport* const transport_;
  ParameterOwner* const parameters_;
  const FrameIdentity self_;
  const Algorithm algorithm_;
  const GossipOptions options_;

  // On the control executor only.
  Random random_;
  std::map<PeerId, Contact> candidates_;
  bool accepting_ = false;
  uint64_t last_step_ = 0;
  uint64_t last_commit_step_ = 0;  // step at the last committed exchange of ours
  double loss_ = 0;
  uint64_t due_ = 0;  // exchanges that were due so far
  // The trainer owes us a snapshot or the rest of one, for an exchange with chosen_ unless that is called off.
  bool snapshot_pending_ = false;
  ExchangeId filling_;  // for which it comes, once the first part has
  absl::optional<PeerId> chosen_;
  uint32_t tether_ = 0;    // of the exchange chosen or under way
  double staleness_ = 0;   // of the exchange under way
  // Starts from the incarnation, so that a reply to an earlier life is never taken for one to this.
  uint64_t next_exchange_;
  std::unique_ptr<OutgoingExchange> outgoing_;
  bool resent_after_break_ = false;
  uint64_t reply_bytes_ = 0;  // of the exchange under way
  absl::Time last_reply_ = absl::InfinitePast();
  TimerId resend_timer_ = 0;
  TimerId deadline_timer_ = 0;
  // Outcomes of the last exchanges, for replies that come late. Bound: kRemembered.
  static constexpr size_t kRemembered = 8;
  struct Outcome {
    ExchangeId exchange;
    PeerId peer;
    std::string address;
    std::vector<bool> committed;  // for each shard
  };
  std::deque<Outcome> outcomes_;
  ReplyLedger ledger_;
  ExchangeBudget budget_;
  std::shared_ptr<const Codec> asked_;  // by the exchange under way: at most that long replies; null: any
  StalenessGate staleness_gate_;
  LateRefusal late_refusal_ = [](const v1::ShardHeader&, FrameFault, ReplyPath*) {};
  uint32_t pending_answers_ = 0;
  int64_t bytes_saved_ = 0;  // negative if headers outweigh it
  // Of each partner that is a member. Bound: the members.
  std::map<PeerId, ExchangeTiming> timings_;
  ExchangeTiming all_;  // with whomever
  StepPace pace_;
  std::function<bool()> in_touch_ = [] { return true; };
  double squared_consensus_distance_ = 0;
  bool has_distance_ = false;
  bool draining_ = false;
  absl::AnyInvocable<void()> drained_;  // null once called
  v1::GossipStatus counters_;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_GOSSIP_ACTOR_H_
