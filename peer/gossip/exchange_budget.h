// Keeps exchanges within the limits of a link (transport/link_budget.h): which codec an exchange may use at
// present, and whether it may be made at all. Asked by GossipActor, on both sides of an exchange:
//
//   initiator   before the snapshot is taken: the finest rung of the requests' ladder that the send limits
//               allow, and of the replies' ladder that the receive limits allow, which the request asks for
//               (reply_bytes). If none fits the exchange is skipped; the next that is due asks again.
//   responder   at the first shard of an exchange: refuses it as BUSY while it is in debt for what it
//               received, or if the coarsest reply does not fit; else takes the finest that does. The other
//               shards follow the first. A refusal, and a reply after which too little is left, say how long
//               to leave us alone (retry_after_ms); the initiator skips this partner until then. Nobody else is
//               told the same time: what the one needs is reserved for it until kGrace after.
//
// So what is scarce first costs precision, then frequency; codec_ladder.h tells how the precision comes back. A
// responder's limit on what it receives costs frequency only. Answers that were promised and not yet sent are
// put aside for kPromise.
//
// A reply may take a fourth of a request, so where bytes to send are short replies would always be first to fit. So
// the two take turns: while own exchanges wait and an answer was given last, an answer leaves room for a request;
// while initiators were told to wait and an own exchange was begun last, that leaves room for a reply.
//
// Pure: time comes with every call. Memory: an entry for each answer under way (at most kMostAnswers; beyond that
// BUSY), for each initiator that was told a time (at most so many; beyond that nothing is reserved) and for each
// partner that asked to be left alone.

#ifndef STARLING_PEER_GOSSIP_EXCHANGE_BUDGET_H_
#define STARLING_PEER_GOSSIP_EXCHANGE_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/codec/codec.h"
#include "peer/gossip/algorithm.h"
#include "peer/gossip/codec_choice.h"
#include "peer/gossip/codec_ladder.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/ids.h"
#include "peer/transport/frame.h"
#include "peer/transport/link_budget.h"
#include "proto/status.pb.h"

namespace starling {

class ExchangeBudget {
 public:
  // Whoever asked for more patience is asked again after so long, for limits can be lifted.
  static constexpr absl::Duration kLongestPause = absl::Minutes(10);
  static constexpr absl::Duration kPromise = absl::Seconds(20);
  static constexpr absl::Duration kGrace = absl::Seconds(2);
  static constexpr size_t kMostAnswers = 1024;

  // `link`: not owned; null: no limits.
  ExchangeBudget(LinkBudget* link, const Algorithm& algorithm, const CodecChoice& codecs,
                 const ShardMap& shards);

  // The payloads of one whole exchange, at most, as initiator or responder: what a LinkBudget's buckets
  // should hold.
  static LinkBudget::Whole WholeExchange(const Algorithm& algorithm, const CodecChoice& codecs,
                                         const ShardMap& shards);

  struct Plan {
    std::shared_ptr<const Codec> request;
    // Replies are asked to take no more than this one's; null: as the partner likes.
    std::shared_ptr<const Codec> reply;
  };
  // An exchange is due. nullopt: it is to be skipped. Else its request is put aside until OnRequestsSent.
  absl::optional<Plan> Begin(absl::Time now, PeerId partner);
  // They were, or the exchange is called off.
  void OnRequestsSent() { promised_request_ = 0; }
  // The partner's retry_after_ms; 0 says nothing.
  void OnRetryAfter(absl::Time now, PeerId partner, uint32_t milliseconds);

  struct Answer {
    std::shared_ptr<const Codec> reply;
    absl::optional<FrameFault> refused;
  };
  // A shard of a request came, new and otherwise fit to be answered; it is charged already.
  Answer MayAnswer(absl::Time now, const v1::ShardHeader& header, size_t payload_bytes);
  // A reply of so many bytes is about to be sent. Returns the retry_after_ms that belongs there.
  uint32_t OnReply(absl::Time now, PeerId initiator, ExchangeId exchange, size_t payload_bytes);

  void OnPeerGone(PeerId peer);

  void FillStatus(absl::Time now, v1::BudgetStatus* status) const;
  size_t answers() const { return answers_.size(); }

 private:
  // Of one initiator; it has one exchange at a time.
  struct Promise {
    ExchangeId exchange;
    Incarnation incarnation = 0;
    absl::Time until;
    bool refused = false;
    uint32_t shards_left = 0;
    uint64_t shard_bytes = 0;
  };
  // Of an initiator that was told when to come again.
  struct Reservation {
    uint64_t request_bytes = 0;
    uint64_t reply_bytes = 0;
    absl::Time until;
  };

  bool Limited() const { return link_ != nullptr && link_->limited(); }
  void ForgetOld(absl::Time now);
  uint64_t Promised() const;
  const std::shared_ptr<const Codec>& ReplyCodec(const v1::ShardHeader& header) const;
  // When the initiator may come again, with what is then needed reserved. `unsent`: of replies, and not yet
  // charged.
  absl::Duration RetryAfter(absl::Time now, PeerId initiator, uint64_t unsent);
  Answer Refusal(absl::Time now, PeerId initiator);
  void NoteReason(Direction direction, const LinkBudget::Wait& wait);
  void NoteCoarser(absl::Time now, Direction direction, PeerId peer, const CodecLadder& ladder);

  LinkBudget* const link_;
  const CodecChoice chosen_;
  const uint32_t shards_;
  CodecLadder request_;
  CodecLadder reply_;
  CodecLadder asked_;  // of others' replies
  std::map<PeerId, Promise> answers_;
  std::map<PeerId, Reservation> reservations_;
  uint64_t promised_request_ = 0;
  bool own_waits_ = false;      // skipped for want of bytes to send, and none begun since
  bool own_went_last_ = false;  // an own exchange, not an answer
  std::map<PeerId, absl::Time> paused_until_;
  std::string reason_;
  absl::Time resume_at_ = absl::InfinitePast();
  v1::BudgetStatus counters_;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_EXCHANGE_BUDGET_H_
