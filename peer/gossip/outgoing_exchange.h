// The initiator's half of one exchange, as a pure state machine over its shards.
//
//            sent              reply                applied
//   WAITING ─────▶ (resend) ─────────▶ APPLYING ─────────────▶ COMMITTED   → SETTLE(committed)
//      │ ▲                                │
//      │ └──────── trainer too busy ──────┘
//      ├─ refusal ─▶ REFUSED              │ reply out of scale
//      │                                  ▼
//      └─ give up ─▶ ABANDONED                                             → SETTLE(not committed)
//
// The snapshot may still be coming: its shards can be sent in their order, as they are there (Arrive).
//
// A reply for a shard that is no longer WAITING changes nothing; it is answered with the shard's
// outcome once more, because the responder evidently missed it. So every reply is applied at most
// once and every applied delta is reported.

#ifndef STARLING_PEER_GOSSIP_OUTGOING_EXCHANGE_H_
#define STARLING_PEER_GOSSIP_OUTGOING_EXCHANGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "peer/runtime/ids.h"
#include "peer/training/parameter_owner.h"

namespace starling {

class OutgoingExchange {
 public:
  enum class ShardState { kWaiting, kApplying, kCommitted, kRefused, kAbandoned };
  enum class ReplyVerdict {
    kApply,            // apply it, then call OnApplied
    kRepeatCommitted,  // applied before: say SETTLE(committed) again
    kRepeatAbandoned,  // given up before: say SETTLE(not committed)
    kIgnore,           // being applied right now, or never asked for
  };

  OutgoingExchange(ExchangeId id, PeerId peer, std::string address, Snapshot snapshot,
                   uint32_t shards, absl::Time started)
      : OutgoingExchange(id, peer, std::move(address), std::move(snapshot), shards, shards, started) {}
  // Of whose snapshot only the first `there` shards are.
  OutgoingExchange(ExchangeId id, PeerId peer, std::string address, Snapshot snapshot,
                   uint32_t shards, uint32_t there, absl::Time started)
      : id_(id),
        peer_(peer),
        address_(std::move(address)),
        snapshot_(std::move(snapshot)),
        started_(started),
        there_(there),
        states_(shards, ShardState::kWaiting),
        waiting_(shards) {}

  ExchangeId id() const { return id_; }
  PeerId peer() const { return peer_; }
  const std::string& address() const { return address_; }
  const Snapshot& snapshot() const { return snapshot_; }
  absl::Time started() const { return started_; }

  // The first `there` shards are, now; returns those that were not before.
  std::vector<uint32_t> Arrive(uint32_t there);
  // Shards to (re)send, ascending.
  std::vector<uint32_t> WaitingShards() const;

  // shard < number of shards in all of these.
  ReplyVerdict OnReply(uint32_t shard);
  void OnApplied(uint32_t shard, double squared_distance);
  // The trainer would not take the reply: the shard waits for it to be repeated.
  void OnApplyRefused(uint32_t shard);
  // The reply may not be applied: the shard is given up.
  void OnUnusable(uint32_t shard);
  // Returns false if the shard was no longer waiting.
  bool OnRefusal(uint32_t shard);
  // The request was damaged on the way, says the other. True: send it again; as often in all as there are shards.
  bool OnDamaged(uint32_t shard);
  // Gives up every waiting shard and returns those that may have been sent.
  std::vector<uint32_t> Abandon();

  // True when no shard is waiting or being applied.
  bool finished() const { return waiting_ == 0 && applying_ == 0; }
  uint32_t shards() const { return static_cast<uint32_t>(states_.size()); }
  uint32_t committed() const { return committed_; }
  uint32_t refused() const { return refused_; }
  // For each shard, whether it was committed.
  std::vector<bool> CommittedShards() const;
  // |own - other's|^2 summed over the committed shards.
  double squared_distance() const { return squared_distance_; }

 private:
  const ExchangeId id_;
  const PeerId peer_;
  const std::string address_;
  const Snapshot snapshot_;
  const absl::Time started_;

  uint32_t there_;
  std::vector<ShardState> states_;
  uint32_t waiting_;
  uint32_t applying_ = 0;
  uint32_t committed_ = 0;
  uint32_t refused_ = 0;
  uint32_t damaged_ = 0;
  double squared_distance_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_OUTGOING_EXCHANGE_H_
