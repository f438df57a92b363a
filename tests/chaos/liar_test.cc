// A member that tells lies, and what the others make of it: nothing that it sends touches a parameter, it is
// counted and shown, and who insists on nonsense is not listened to any more.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "tests/chaos/grpc_liar.h"
#include "tests/chaos/swarm.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kHuge = 1e30f;

uint64_t Refused(const v1::Status& status, v1::RefusalReason reason) {
  for (const v1::RefusalCount& refused : status.gossip().refused()) {
    if (refused.reason() == reason) return refused.count();
  }
  return 0;
}

const v1::PeerStatus* RowOf(const v1::Status& status, const std::string& id) {
  for (const v1::PeerStatus& peer : status.peers()) {
    if (peer.peer_id() == id) return &peer;
  }
  return nullptr;
}

class LiarTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(swarm_.Start());
    parameters_ = StatusOf(Victim()).training().parameters();
  }

  std::string Victim() { return swarm_.peer(0).address(); }

  // They train, exchange among themselves, and what they have learnt is of use.
  void ExpectHealth() {
    EXPECT_TRUE(AllGoOn(swarm_, {0, 1, 2}));
    for (int i : {0, 1, 2}) {
      v1::Status status;
      EXPECT_TRUE(WatchUntil(swarm_.peer(i).address(), MoreExchanges(5), &status));
      EXPECT_TRUE(std::isfinite(status.training().loss())) << status.DebugString();
      EXPECT_LT(status.gossip().consensus_distance(), 100) << status.DebugString();
      EXPECT_EQ(status.recovery().rollbacks(), 0u) << status.DebugString();
    }
    auto stub = StatusStub(Victim());
    grpc::ClientContext context;
    v1::EvaluateAverageResponse average;
    const grpc::Status asked = stub->EvaluateAverage(&context, {}, &average);
    EXPECT_TRUE(asked.ok()) << asked.error_message();
    EXPECT_GT(average.test_accuracy(), 0.5);
  }

  RealSwarm swarm_{3};
  uint64_t parameters_ = 0;
};

void TellTheTruth(v1::ShardFrame&) {}

TEST_F(LiarTest, EveryLieInARequestIsRefusedForItsReasonAndCounted) {
  Liar liar(Victim(), parameters_, TellTheTruth);
  const auto header = [](auto change) {
    return [change](v1::ShardFrame& frame) { change(*frame.mutable_header()); };
  };
  const struct {
    const char* what;
    Liar::Spoil spoil;
    v1::RefusalReason reason;
  } lies[] = {
      {"a hash of something else",
       header([](v1::ShardHeader& h) { h.set_payload_hash(h.payload_hash() + 1); }),
       v1::REFUSAL_REASON_CORRUPT},
      {"more shards than there are", header([](v1::ShardHeader& h) { h.set_shard_count(1000); }),
       v1::REFUSAL_REASON_WRONG_LENGTH},
      {"a shard that is not there", header([](v1::ShardHeader& h) { h.set_shard(UINT32_MAX); }),
       v1::REFUSAL_REASON_WRONG_LENGTH},
      {"parameters beyond the last", header([](v1::ShardHeader& h) { h.set_offset(UINT64_MAX); }),
       v1::REFUSAL_REASON_WRONG_LENGTH},
      {"fewer bytes than it says",
       [](v1::ShardFrame& frame) { frame.mutable_payload()->resize(400); },
       v1::REFUSAL_REASON_WRONG_LENGTH},
      {"more numbers than it brings",
       header([](v1::ShardHeader& h) { h.set_elements(UINT32_MAX); }),
       v1::REFUSAL_REASON_OVERSIZED},
      {"nothing at all", [](v1::ShardFrame& frame) { frame.clear_payload(); },
       v1::REFUSAL_REASON_WRONG_LENGTH},
      {"another run", header([](v1::ShardHeader& h) { h.set_run_id(h.run_id() + 1); }),
       v1::REFUSAL_REASON_WRONG_RUN},
      {"another model",
       header([](v1::ShardHeader& h) { h.set_model_fingerprint(h.model_fingerprint() + 1); }),
       v1::REFUSAL_REASON_WRONG_MODEL},
      {"another epoch", header([](v1::ShardHeader& h) { h.set_epoch(7); }),
       v1::REFUSAL_REASON_WRONG_EPOCH},
      {"a codec that nobody knows",
       header([](v1::ShardHeader& h) { h.set_codec(static_cast<v1::Codec>(99)); }),
       v1::REFUSAL_REASON_UNKNOWN_CODEC},
      {"an earlier life of its own",
       header([](v1::ShardHeader& h) { h.set_sender_incarnation(1); }),
       v1::REFUSAL_REASON_STALE},
      {"an earlier life of the other",
       header([](v1::ShardHeader& h) { h.set_receiver_incarnation(1); }),
       v1::REFUSAL_REASON_STALE},
      {"staleness without a unit",
       header([](v1::ShardHeader& h) { h.set_staleness(std::nan("")); }),
       v1::REFUSAL_REASON_BAD_REQUEST},
      {"nobody's name", header([](v1::ShardHeader& h) { h.set_sender(0); }),
       v1::REFUSAL_REASON_BAD_REQUEST},
      {"a NaN", [](v1::ShardFrame& frame) { Fill(frame, kNaN); },
       v1::REFUSAL_REASON_NON_FINITE},
      {"enormous numbers", [](v1::ShardFrame& frame) { Fill(frame, kHuge); },
       v1::REFUSAL_REASON_OUT_OF_SCALE},
  };
  // Known to be a member, of whose lives there is something to know.
  ASSERT_TRUE(WatchUntil(Victim(), [&](const v1::Status& now) {
    return StateSeenBy(now, liar.id()) == v1::PEER_STATE_ALIVE;
  }));
  for (const auto& lie : lies) {
    SCOPED_TRACE(lie.what);
    const uint64_t before = Refused(StatusOf(Victim()), lie.reason);
    const v1::ShardFrame answer = liar.Ask(Victim(), lie.spoil);
    EXPECT_EQ(answer.header().kind(), v1::FRAME_KIND_REFUSAL) << answer.ShortDebugString();
    EXPECT_EQ(answer.header().refusal(), lie.reason) << answer.header().detail();
    EXPECT_TRUE(WatchUntil(Victim(), [&](const v1::Status& now) {
      return Refused(now, lie.reason) > before;
    }));
  }
  // Mistakes of others and of the line are not held against it, and two offences are not enough.
  const v1::Status status = StatusOf(Victim());
  ASSERT_NE(RowOf(status, liar.id()), nullptr);
  EXPECT_EQ(RowOf(status, liar.id())->offences(), 2u) << status.DebugString();
  EXPECT_EQ(RowOf(status, liar.id())->state(), v1::PEER_STATE_ALIVE);
  const v1::ShardFrame answer = liar.Ask(Victim(), TellTheTruth);
  EXPECT_EQ(answer.header().kind(), v1::FRAME_KIND_MIX_REPLY) << answer.header().detail();
  ExpectHealth();
}

TEST_F(LiarTest, WhoAsksWithNonsenseAgainAndAgainIsNotListenedTo) {
  Liar liar(Victim(), parameters_, TellTheTruth);
  const auto nonsense = [](v1::ShardFrame& frame) { Fill(frame, kNaN); };
  for (int times = 0; times < 3; ++times) {
    EXPECT_EQ(liar.Ask(Victim(), nonsense).header().refusal(), v1::REFUSAL_REASON_NON_FINITE);
  }
  v1::Status status;
  EXPECT_TRUE(WatchUntil(
      Victim(),
      [&](const v1::Status& now) {
        return StateSeenBy(now, liar.id()) == v1::PEER_STATE_QUARANTINED;
      },
      &status))
      << status.DebugString();
  EXPECT_EQ(status.gossip().quarantines(), 1u);
  EXPECT_NE(RowOf(status, liar.id())->reason(), "") << status.DebugString();
  EXPECT_EQ(liar.Ask(Victim(), TellTheTruth).header().refusal(),
            v1::REFUSAL_REASON_QUARANTINED);
  ExpectHealth();
}

class LyingReplyTest : public LiarTest, public testing::WithParamInterface<float> {};

TEST_P(LyingReplyTest, WhoAnswersWithNonsenseIsNotAskedAnyMore) {
  Liar liar(Victim(), parameters_, [](v1::ShardFrame& frame) { Fill(frame, GetParam()); });
  for (int i : {0, 1, 2}) {
    v1::Status status;
    EXPECT_TRUE(WatchUntil(
        swarm_.peer(i).address(),
        [&](const v1::Status& now) {
          return StateSeenBy(now, liar.id()) == v1::PEER_STATE_QUARANTINED;
        },
        &status))
        << status.DebugString();
    EXPECT_EQ(status.gossip().quarantines(), 1u);
    EXPECT_GE(status.gossip().offences(), 3u);
    EXPECT_GE(Refused(status, std::isfinite(GetParam()) ? v1::REFUSAL_REASON_OUT_OF_SCALE
                                                        : v1::REFUSAL_REASON_NON_FINITE),
              3u);
  }
  const uint64_t answered = liar.answered();
  ExpectHealth();
  EXPECT_EQ(liar.answered(), answered);
}

INSTANTIATE_TEST_SUITE_P(Nonsense, LyingReplyTest, testing::Values(kNaN, kHuge, -kHuge));

}  // namespace
}  // namespace starling
