// The responder's memory of what it answered, so that a repeated request is answered again and never
// applied again, and so that a delta whose commit was never confirmed is counted.
//
// An initiator has one exchange outstanding at a time and numbers its exchanges upwards, so the
// ledger keeps one exchange per initiator: a request with a higher (incarnation, exchange id) opens
// a new page and closes the old one; a lower one is stale and is not applied. That bounds the memory
// by (initiators x shards) whatever the network repeats or reorders.
//
//   request ─▶ PENDING ─▶ REPLIED ─▶ settled(committed)  ─▶ CLOSED
//                │            └────▶ settled(abandoned), page closed, peer gone ─▶ CLOSED, orphan
//                └ settled(abandoned) before the answer ─▶ DOOMED ─▶ orphan when the answer comes
//   settled(abandoned) before the request ─▶ CLOSED: a request that still comes is stale
//
// An orphan is a delta that this peer applied and whose counterpart the initiator did not apply, or
// may not have applied: the sum over peers is off by at most that much. Pure; owned by GossipActor.

#ifndef STARLING_PEER_GOSSIP_REPLY_LEDGER_H_
#define STARLING_PEER_GOSSIP_REPLY_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "peer/runtime/check.h"
#include "peer/runtime/ids.h"
#include "peer/training/parameter_owner.h"

namespace starling {

class ReplyLedger {
 public:
  enum class RequestVerdict {
    kAnswer,   // new: OnRequest it and compute an answer, or refuse it and leave no trace
    kReplay,   // answered before: send `replay()` again
    kPending,  // being computed
    kStale,    // of a closed exchange, or already settled: nothing to do
  };

  // What became of an answer that the trainer gave.
  struct Answered {
    // Send it; else nobody waits for it any more, and it is an orphan.
    bool wanted = false;
    // It was the last of its exchange; then |own - incoming|^2 summed over all of the exchange.
    bool completed = false;
    double squared_distance = 0;
  };

  // `page_limit` > 0: a page of an initiator beyond that evicts the one opened longest ago.
  ReplyLedger(uint32_t shards, size_t page_limit) : shards_(shards), page_limit_(page_limit) {
    STARLING_CHECK(page_limit > 0);
  }

  // What a request is to us, recording nothing. shard < shards, here and below.
  RequestVerdict Judge(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                       uint32_t shard) const;
  // Records a request that was judged kAnswer; OnAnswered or OnAnswerRefused follows.
  void OnRequest(PeerId initiator, Incarnation incarnation, ExchangeId exchange, uint32_t shard);
  // After kReplay.
  const MixAnswer& replay(PeerId initiator, uint32_t shard) const;

  Answered OnAnswered(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                      uint32_t shard, MixAnswer answer);
  // The trainer would not take the request, or what it carries: as if it had never come.
  void OnAnswerRefused(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                       uint32_t shard);

  void OnSettled(PeerId initiator, Incarnation incarnation, ExchangeId exchange, uint32_t shard,
                 bool committed);

  // Closes the page of a peer that is gone.
  void OnPeerGone(PeerId initiator);

  uint64_t orphans() const { return orphans_; }
  double orphaned_norm() const { return orphaned_norm_; }
  // Exchanges of which every shard was answered.
  uint64_t exchanges_answered() const { return exchanges_answered_; }
  size_t pages() const { return pages_.size(); }

 private:
  enum class State { kEmpty, kPending, kDoomed, kReplied, kClosed };
  struct Entry {
    State state = State::kEmpty;
    MixAnswer answer;
  };
  struct Page {
    Incarnation incarnation = 0;
    ExchangeId exchange;
    uint64_t opened = 0;  // order of opening
    uint32_t answered = 0;
    double squared_distance = 0;  // over the answered shards
    std::vector<Entry> entries;
  };

  Page* Find(PeerId initiator, Incarnation incarnation, ExchangeId exchange);
  // True if such an exchange would open a page of its own.
  bool IsNew(PeerId initiator, Incarnation incarnation, ExchangeId exchange) const;
  Page& Open(PeerId initiator, Incarnation incarnation, ExchangeId exchange);
  void Orphan(const MixAnswer& answer);
  void Close(Page& page);

  const uint32_t shards_;
  const size_t page_limit_;
  std::map<PeerId, Page> pages_;
  uint64_t opened_ = 0;
  uint64_t orphans_ = 0;
  double orphaned_norm_ = 0;
  uint64_t exchanges_answered_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_REPLY_LEDGER_H_
