#include "peer/gossip/reply_ledger.h"

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"

namespace starling {
namespace {

using Verdict = ReplyLedger::RequestVerdict;

constexpr PeerId kAnn(11);
constexpr PeerId kBob(12);
constexpr PeerId kCid(13);

// An answer whose change to our values has this norm.
MixAnswer Answer(double norm, float value = 0) {
  return MixAnswer{BytesOf({value}), 4 * norm * norm, norm * norm, 17};
}

class ReplyLedgerTest : public ::testing::Test {
 protected:
  Verdict Judge(PeerId peer, Incarnation incarnation, uint64_t exchange, uint32_t shard) const {
    return ledger_.Judge(peer, incarnation, ExchangeId(exchange), shard);
  }
  // Judges, and records what is new.
  Verdict Request(PeerId peer, Incarnation incarnation, uint64_t exchange, uint32_t shard) {
    const Verdict verdict = Judge(peer, incarnation, exchange, shard);
    if (verdict == Verdict::kAnswer) {
      ledger_.OnRequest(peer, incarnation, ExchangeId(exchange), shard);
    }
    return verdict;
  }
  ReplyLedger::Answered Answered(PeerId peer, Incarnation incarnation, uint64_t exchange,
                                 uint32_t shard, MixAnswer answer) {
    return ledger_.OnAnswered(peer, incarnation, ExchangeId(exchange), shard, std::move(answer));
  }
  void Settle(PeerId peer, Incarnation incarnation, uint64_t exchange, uint32_t shard,
              bool committed) {
    ledger_.OnSettled(peer, incarnation, ExchangeId(exchange), shard, committed);
  }
  void ExpectOrphans(uint64_t count, double norm) {
    EXPECT_EQ(ledger_.orphans(), count);
    EXPECT_DOUBLE_EQ(ledger_.orphaned_norm(), norm);
  }

  ReplyLedger ledger_{/*shards=*/2, /*page_limit=*/2};
};

TEST_F(ReplyLedgerTest, ANewRequestIsAnsweredOnceAndReplayedAfterwards) {
  EXPECT_EQ(Request(kAnn, 1, 1, 0), Verdict::kAnswer);
  EXPECT_EQ(Request(kAnn, 1, 1, 0), Verdict::kPending);
  EXPECT_TRUE(Answered(kAnn, 1, 1, 0, Answer(2, 6.5f)).wanted);
  EXPECT_EQ(Request(kAnn, 1, 1, 0), Verdict::kReplay);
  EXPECT_EQ(ledger_.replay(kAnn, 0).reply.bytes.floats()[0], 6.5f);
  EXPECT_EQ(ledger_.replay(kAnn, 0).step, 17);
  EXPECT_EQ(Request(kAnn, 1, 1, 0), Verdict::kReplay);
  ExpectOrphans(0, 0);
}

TEST_F(ReplyLedgerTest, JudgingRecordsNothing) {
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kAnswer);
  EXPECT_EQ(ledger_.pages(), 0);
  Request(kAnn, 1, 1, 0);
  Answered(kAnn, 1, 1, 0, Answer(1));
  EXPECT_EQ(Judge(kAnn, 1, 2, 0), Verdict::kAnswer);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kReplay);
  ExpectOrphans(0, 0);
}

TEST_F(ReplyLedgerTest, ShardsAndInitiatorsAreIndependent) {
  Request(kAnn, 1, 1, 0);
  EXPECT_EQ(Request(kAnn, 1, 1, 1), Verdict::kAnswer);
  EXPECT_EQ(Request(kBob, 1, 1, 0), Verdict::kAnswer);
  Answered(kAnn, 1, 1, 0, Answer(1));
  EXPECT_EQ(Judge(kAnn, 1, 1, 1), Verdict::kPending);
  EXPECT_EQ(Judge(kBob, 1, 1, 0), Verdict::kPending);
}

TEST_F(ReplyLedgerTest, ASettledShardIsClosedWithoutAnOrphan) {
  Request(kAnn, 1, 1, 0);
  Answered(kAnn, 1, 1, 0, Answer(1));
  Settle(kAnn, 1, 1, 0, true);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kStale);
  Settle(kAnn, 1, 1, 0, false);
  ExpectOrphans(0, 0);
}

TEST_F(ReplyLedgerTest, AReplyThatWasGivenUpIsAnOrphanOnce) {
  Request(kAnn, 1, 1, 0);
  Answered(kAnn, 1, 1, 0, Answer(3));
  Settle(kAnn, 1, 1, 0, false);
  Settle(kAnn, 1, 1, 0, false);
  Settle(kAnn, 1, 1, 0, true);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kStale);
  ExpectOrphans(1, 3);
}

TEST_F(ReplyLedgerTest, AnAnswerToWhatWasGivenUpMeanwhileIsAnOrphanAndNotSent) {
  Request(kAnn, 1, 1, 0);
  Settle(kAnn, 1, 1, 0, false);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kPending);
  ExpectOrphans(0, 0);
  EXPECT_FALSE(Answered(kAnn, 1, 1, 0, Answer(2)).wanted);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kStale);
  ExpectOrphans(1, 2);
}

TEST_F(ReplyLedgerTest, ACommitReportedBeforeTheAnswerMeansNothing) {
  Request(kAnn, 1, 1, 0);
  Settle(kAnn, 1, 1, 0, true);
  EXPECT_TRUE(Answered(kAnn, 1, 1, 0, Answer(2)).wanted);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kReplay);
}

TEST_F(ReplyLedgerTest, ARequestThatComesAfterItWasGivenUpIsStale) {
  Request(kAnn, 1, 1, 0);
  Settle(kAnn, 1, 1, 1, false);
  EXPECT_EQ(Judge(kAnn, 1, 1, 1), Verdict::kStale);
  // Even if nothing of that exchange had come before.
  Settle(kBob, 1, 5, 0, false);
  EXPECT_EQ(Judge(kBob, 1, 5, 0), Verdict::kStale);
  EXPECT_EQ(Judge(kBob, 1, 5, 1), Verdict::kAnswer);
  Settle(kCid, 1, 5, 0, true);
  EXPECT_EQ(Judge(kCid, 1, 5, 0), Verdict::kAnswer);
}

TEST_F(ReplyLedgerTest, AnOlderExchangeIsStale) {
  Request(kAnn, 2, 5, 0);
  EXPECT_EQ(Judge(kAnn, 2, 4, 0), Verdict::kStale);
  EXPECT_EQ(Judge(kAnn, 1, 9, 0), Verdict::kStale);
  Settle(kAnn, 2, 4, 0, false);
  Settle(kAnn, 1, 9, 0, false);
  EXPECT_EQ(Judge(kAnn, 2, 5, 0), Verdict::kPending);
}

TEST_F(ReplyLedgerTest, ANewExchangeClosesTheOldOneAndCountsWhatWasNotConfirmed) {
  for (uint32_t shard : {0u, 1u}) {
    Request(kAnn, 1, 1, shard);
    Answered(kAnn, 1, 1, shard, Answer(shard + 1));
  }
  Settle(kAnn, 1, 1, 0, true);
  EXPECT_EQ(Request(kAnn, 1, 2, 0), Verdict::kAnswer);
  ExpectOrphans(1, 2);
  Settle(kAnn, 1, 1, 1, true);
  ExpectOrphans(1, 2);
}

TEST_F(ReplyLedgerTest, ALaterIncarnationStartsAnewWhateverItsExchangeId) {
  Request(kAnn, 1, 9, 0);
  Answered(kAnn, 1, 9, 0, Answer(4));
  EXPECT_EQ(Request(kAnn, 2, 1, 0), Verdict::kAnswer);
  ExpectOrphans(1, 4);
}

TEST_F(ReplyLedgerTest, AnAnswerToAClosedPageIsAnOrphan) {
  Request(kAnn, 1, 1, 0);
  Request(kAnn, 1, 2, 0);
  EXPECT_FALSE(Answered(kAnn, 1, 1, 0, Answer(5)).wanted);
  ExpectOrphans(1, 5);
  EXPECT_TRUE(Answered(kAnn, 1, 2, 0, Answer(1)).wanted);
}

TEST_F(ReplyLedgerTest, WhenAPeerIsGoneItsOpenRepliesAreOrphansAndItsRequestsStale) {
  Request(kAnn, 1, 1, 0);
  Answered(kAnn, 1, 1, 0, Answer(2));
  Request(kAnn, 1, 1, 1);
  ledger_.OnPeerGone(kAnn);
  ledger_.OnPeerGone(kAnn);
  ledger_.OnPeerGone(kBob);
  ExpectOrphans(1, 2);
  EXPECT_FALSE(Answered(kAnn, 1, 1, 1, Answer(3)).wanted);
  ExpectOrphans(2, 5);
  EXPECT_EQ(Judge(kAnn, 1, 1, 0), Verdict::kStale);
  EXPECT_EQ(Judge(kAnn, 1, 2, 0), Verdict::kAnswer);
}

TEST_F(ReplyLedgerTest, WhatTheTrainerRefusedIsAsIfItHadNotCome) {
  Request(kAnn, 1, 1, 0);
  ledger_.OnAnswerRefused(kAnn, 1, ExchangeId(1), 0);
  EXPECT_EQ(Request(kAnn, 1, 1, 0), Verdict::kAnswer);
  ExpectOrphans(0, 0);
}

TEST_F(ReplyLedgerTest, AnAnswerThatChangedNothingIsNoOrphan) {
  Request(kAnn, 1, 1, 0);
  Answered(kAnn, 1, 1, 0, Answer(0));
  Settle(kAnn, 1, 1, 0, false);
  ExpectOrphans(0, 0);
}

TEST_F(ReplyLedgerTest, AnExchangeIsAnsweredWithItsLastShard) {
  Request(kAnn, 1, 1, 0);
  Request(kAnn, 1, 1, 1);
  EXPECT_FALSE(Answered(kAnn, 1, 1, 1, Answer(1)).completed);
  EXPECT_EQ(ledger_.exchanges_answered(), 0);
  Settle(kAnn, 1, 1, 1, true);
  const ReplyLedger::Answered last = Answered(kAnn, 1, 1, 0, Answer(2));
  EXPECT_TRUE(last.wanted);
  EXPECT_TRUE(last.completed);
  EXPECT_DOUBLE_EQ(last.squared_distance, 4 * (1 + 4));
  EXPECT_EQ(ledger_.exchanges_answered(), 1);
}

TEST_F(ReplyLedgerTest, BeyondTheLimitThePageOpenedLongestAgoIsForgotten) {
  Request(kBob, 1, 1, 0);
  Answered(kBob, 1, 1, 0, Answer(2));
  Request(kAnn, 1, 1, 0);
  Request(kBob, 1, 2, 0);  // reopened: now kAnn's is the oldest
  ExpectOrphans(1, 2);
  Request(kCid, 1, 1, 0);
  EXPECT_EQ(ledger_.pages(), 2);
  EXPECT_EQ(Judge(kBob, 1, 2, 0), Verdict::kPending);
  EXPECT_EQ(Judge(kCid, 1, 1, 0), Verdict::kPending);
  EXPECT_FALSE(Answered(kAnn, 1, 1, 0, Answer(3)).wanted);
  ExpectOrphans(2, 5);
}

TEST_F(ReplyLedgerTest, NoticesOfGivingUpAreBoundedByThePageLimitToo) {
  for (uint64_t peer = 100; peer < 200; ++peer) Settle(PeerId(peer), 1, 1, 0, false);
  EXPECT_EQ(ledger_.pages(), 2);
}

}  // namespace
}  // namespace starling
