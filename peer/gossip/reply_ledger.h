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
//
// An orphan is a delta that this peer applied and whose counterpart the initiator did not apply, or
// may not have applied: the sum over peers is off by at most that much. Pure; owned by GossipActor.

#ifndef STARLING_PEER_GOSSIP_REPLY_LEDGER_H_
#define STARLING_PEER_GOSSIP_REPLY_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "peer/runtime/ids.h"
#include "peer/runtime/shared_bytes.h"

namespace starling {

class ReplyLedger {
 public:
  enum class RequestVerdict {
    kAnswer,   // new: compute an answer, then call OnAnswered
    kReplay,   // answered before: send `replay()` again
    kPending,  // being computed
    kStale,    // of a closed exchange, or already settled: nothing to do
  };

  // Pages kept; a page of an initiator beyond that evicts the one opened longest ago.
  ReplyLedger(uint32_t shards, size_t page_limit) : shards_(shards), page_limit_(page_limit) {}

  // shard < shards.
  RequestVerdict OnRequest(PeerId initiator, Incarnation incarnation, ExchangeId exchange,
                           uint32_t shard);
  // After kReplay.
  const SharedBytes& replay(PeerId initiator, uint32_t shard) const;

  // The trainer answered. Returns false if nobody waits for the answer any more (it is an orphan);
  // true if it should be sent. `norm` is that of the change to our own values; 0 if there was none.
  bool OnAnswered(PeerId initiator, Incarnation incarnation, ExchangeId exchange, uint32_t shard,
                  SharedBytes reply, double norm);
  // The trainer would not take the request: as if it had never come.
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
    SharedBytes reply;
    double norm = 0;
  };
  struct Page {
    Incarnation incarnation = 0;
    ExchangeId exchange;
    uint64_t opened = 0;  // order of opening
    uint32_t answered = 0;
    std::vector<Entry> entries;
  };

  Page* Find(PeerId initiator, Incarnation incarnation, ExchangeId exchange);
  void Orphan(double norm);
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
