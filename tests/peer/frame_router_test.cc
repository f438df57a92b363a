#include "peer/frame_router.h"

#include <vector>

#include "gtest/gtest.h"
#include "peer/topology/ring.h"
#include "tests/peer/averaging/averaging_fakes.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {
namespace {

// Ten parameters in shards of 4, 4 and 2.
const ShardMap kShards{10, 4};

FrameIdentity Identity(uint64_t peer) {
  return FrameIdentity{PeerId(peer), 1, RunId(7), 3, ModelFingerprint(9), kShards};
}

// Peer 1, with everything that exchanges and averages; peer 2 is the test.
class FrameRouterTest : public ::testing::Test {
 protected:
  FrameRouterTest() {
    executor_.Do([&] {
      gossip_.SetCandidates({{PeerId(2), "peer-2:1"}});
      gossip_.SetAccepting(true);
      rounds_.SetMembers({{PeerId(2), {"peer-2:1", false}}});
    });
  }

  AveragingActor::Deps AveragingDeps() {
    AveragingActor::Deps deps;
    deps.control = &executor_;
    deps.transport = &transport_;
    deps.parameters = &parameters_;
    deps.buffers = &pool_;
    deps.self = PeerId(1);
    deps.shards = kShards;
    deps.address_of = [](PeerId) { return std::string("peer-2:1"); };
    deps.fill_header = [](v1::ShardHeader* header) { StampHeader(Identity(1), 0, *header); };
    return deps;
  }
  static RoundSpec Ring() {
    RoundSpec spec;
    spec.topology = MakeRing();
    return spec;
  }

  Frame Make(v1::FrameKind kind, v1::RoundLane lane = v1::ROUND_LANE_COORDINATOR,
             uint64_t round = 1) {
    Frame frame;
    StampHeader(Identity(2), 2, frame.header);
    frame.header.set_kind(kind);
    frame.header.set_lane(lane);
    frame.header.set_round(round);
    frame.header.set_exchange_id(5);
    if (kind == v1::FRAME_KIND_MIX_REQUEST || kind == v1::FRAME_KIND_REDUCE ||
        kind == v1::FRAME_KIND_NEIGHBOUR_VALUES) {
      frame.payload = BytesOf({1, 2});
    }
    return frame;
  }
  // What peer 2 gets back.
  std::vector<Frame> Give(Frame frame) {
    const auto reply = std::make_shared<RecordingReplyPath>();
    executor_.Do([&] { router_.OnFrame(std::move(frame), reply); });
    return reply->sent;
  }
  v1::RefusalReason RefusalOf(Frame frame) {
    const std::vector<Frame> back = Give(std::move(frame));
    if (back.empty()) return v1::REFUSAL_REASON_UNSPECIFIED;
    EXPECT_EQ(back.size(), 1);
    EXPECT_EQ(back[0].header.kind(), v1::FRAME_KIND_REFUSAL);
    EXPECT_EQ(back[0].header.sender(), 1);
    return back[0].header.refusal();
  }
  uint64_t Refused(v1::RefusalReason reason) {
    v1::GossipStatus status;
    router_.FillStatus(status);
    for (const v1::RefusalCount& each : status.refused()) {
      if (each.reason() == reason) return each.count();
    }
    return 0;
  }
  static v1::RoundPlan Plan() {
    v1::RoundPlan plan;
    plan.set_epoch(3);
    plan.set_round(1);
    plan.add_participants(1);
    plan.add_participants(2);
    plan.set_deadline_seconds(10);
    return plan;
  }

  static constexpr auto kNone = v1::REFUSAL_REASON_UNSPECIFIED;

  ManualExecutor executor_;
  RecordingTransport transport_;
  ParametersWithoutTrainer parameters_{std::vector<float>(10, 1.0f)};
  FakeParameterOwner trainer_{std::vector<float>(10, 1.0f), 4};
  BufferPool pool_{size_t{1} << 16};
  std::vector<MixedRound> mixed_;
  GossipActor gossip_{&executor_, &transport_, &trainer_, Identity(1),
                      EagerAlgorithm("elastic_gossip"), Random(1), GossipOptions()};
  AveragingActor averaging_{RoundOptions(), AveragingDeps()};
  RoundsActor rounds_{{&executor_, &transport_, &pool_,
                       [this](MixedRound mixed) { mixed_.push_back(std::move(mixed)); }},
                      Identity(1), {Ring()}, 5, RoundsOptions()};
  std::vector<std::string> log_;
  std::vector<Quarantine> quarantines_;
  // Donors and joiners have tests of their own.
  FrameRouter router_{Identity(1),
                      {&gossip_, &averaging_, &rounds_, nullptr, nullptr, nullptr},
                      [](v1::ControlRequest, ControlResponder) {},
                      [](const std::string&, const absl::Status&) {},
                      [this](const std::string& line) { log_.push_back(line); },
                      {OffenceOptions(), [this] { return executor_.Now(); },
                       [this](PeerId peer, const Quarantine& quarantine) {
                         EXPECT_EQ(peer, PeerId(2));
                         quarantines_.push_back(quarantine);
                       }}};
};

TEST_F(FrameRouterTest, RequestsOfExchangesGoToTheTrainer) {
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_MIX_REQUEST)), kNone);
  EXPECT_EQ(trainer_.waiting(), 1);
}

TEST_F(FrameRouterTest, ContributionsGoToWhoeverPlannedTheirRound) {
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_REDUCE, v1::ROUND_LANE_COORDINATOR)),
            v1::REFUSAL_REASON_UNKNOWN_ROUND);
  // The algorithm's rounds keep what comes early.
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_REDUCE, v1::ROUND_LANE_ALGORITHM)), kNone);
  executor_.Do([&] { EXPECT_TRUE(averaging_.OnPlan(Plan()).ok()); });
  for (const Frame& back : Give(Make(v1::FRAME_KIND_REDUCE, v1::ROUND_LANE_COORDINATOR))) {
    EXPECT_NE(back.header.refusal(), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  }
}

TEST_F(FrameRouterTest, ValuesOfNeighboursEndTheRoundThatWaitsForThem) {
  Contribution contribution;
  contribution.step = 1;
  contribution.values = BytesOf({3, 4});  // a round may be shorter than the model
  executor_.Do([&] { rounds_.OnContribution(contribution); });
  Frame values = Make(v1::FRAME_KIND_NEIGHBOUR_VALUES, v1::ROUND_LANE_ALGORITHM);
  values.header.set_shard(0);
  values.header.set_shard_count(1);
  values.header.set_offset(0);
  EXPECT_EQ(RefusalOf(std::move(values)), kNone);
  ASSERT_EQ(mixed_.size(), 1);
  EXPECT_EQ(mixed_[0].mixed.floats()[0], 2);
}

TEST_F(FrameRouterTest, ARefusalOfARoundIsHeardByWhoeverPlansIt) {
  Contribution contribution;
  contribution.step = 1;
  contribution.values = BytesOf({3, 4});
  executor_.Do([&] { rounds_.OnContribution(contribution); });
  Frame refusal = MakeRefusal(Make(v1::FRAME_KIND_NEIGHBOUR_ASK, v1::ROUND_LANE_ALGORITHM).header,
                              v1::REFUSAL_REASON_NOT_TRAINING, "");
  EXPECT_TRUE(Give(std::move(refusal)).empty());
  ASSERT_EQ(mixed_.size(), 1);
  EXPECT_EQ(mixed_[0].mixed.floats()[0], 3);
  v1::GossipStatus status;
  router_.FillStatus(status);
  ASSERT_EQ(status.refusals_size(), 1);
  EXPECT_EQ(status.refusals(0).reason(), v1::REFUSAL_REASON_NOT_TRAINING);
}

TEST_F(FrameRouterTest, WhatAsksIsRefusedWithTheNewestRoundAndWhatTellsIsOnlyCounted) {
  for (uint64_t step = 1; step <= 9; ++step) {
    Contribution contribution;
    contribution.step = step;
    contribution.values = BytesOf({3, 4});
    executor_.Do([&] {
      rounds_.SetMembers({});
      rounds_.OnContribution(contribution);
    });
  }
  const std::vector<Frame> back =
      Give(Make(v1::FRAME_KIND_NEIGHBOUR_ASK, v1::ROUND_LANE_ALGORITHM));
  ASSERT_EQ(back.size(), 1);
  EXPECT_EQ(back[0].header.refusal(), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  EXPECT_EQ(back[0].header.current_round(), 9);
  EXPECT_TRUE(Give(Make(v1::FRAME_KIND_NEIGHBOUR_VALUES, v1::ROUND_LANE_ALGORITHM)).empty());
  EXPECT_EQ(Refused(v1::REFUSAL_REASON_UNKNOWN_ROUND), 2);
  EXPECT_TRUE(log_.empty());  // everyday
}

TEST_F(FrameRouterTest, AForgedLaneDoesNotCarryAShardThatIsNotThereIntoAnExchange) {
  Frame forged = Make(v1::FRAME_KIND_MIX_REQUEST, v1::ROUND_LANE_ALGORITHM);
  forged.header.set_shard(1'000'000);
  EXPECT_EQ(RefusalOf(std::move(forged)), v1::REFUSAL_REASON_WRONG_LENGTH);
  for (const v1::FrameKind kind : {v1::FRAME_KIND_MIX_REPLY, v1::FRAME_KIND_SETTLE}) {
    Frame told = Make(kind, v1::ROUND_LANE_ALGORITHM);
    told.header.set_shard(1'000'000);
    EXPECT_TRUE(Give(std::move(told)).empty());
  }
  EXPECT_EQ(Refused(v1::REFUSAL_REASON_WRONG_LENGTH), 3);
  EXPECT_EQ(trainer_.waiting(), 0);
  EXPECT_EQ(log_.size(), 2);  // the first and the second, not the third
}

TEST_F(FrameRouterTest, AFrameOfAnotherRunIsRefusedAndARefusalNeverAnswered) {
  Frame stranger = Make(v1::FRAME_KIND_MIX_REQUEST);
  stranger.header.set_run_id(8);
  EXPECT_EQ(RefusalOf(stranger), v1::REFUSAL_REASON_WRONG_RUN);
  Frame refusal = MakeRefusal(stranger.header, v1::REFUSAL_REASON_WRONG_RUN, "");
  EXPECT_TRUE(Give(std::move(refusal)).empty());
  EXPECT_EQ(Refused(v1::REFUSAL_REASON_WRONG_RUN), 1);
}

TEST_F(FrameRouterTest, WhatNobodyKnowsIsCountedAndNotAnswered) {
  EXPECT_TRUE(Give(Make(v1::FRAME_KIND_UNSPECIFIED)).empty());
  EXPECT_EQ(Refused(v1::REFUSAL_REASON_BAD_REQUEST), 1);
}

TEST_F(FrameRouterTest, ThreeExchangesWithoutFiniteValuesQuarantineTheirSenderForAWhile) {
  Frame bad = Make(v1::FRAME_KIND_MIX_REQUEST);
  for (uint64_t exchange = 1; exchange <= 3; ++exchange) {
    EXPECT_TRUE(quarantines_.empty());
    bad.header.set_exchange_id(exchange);
    for (int shard = 0; shard < 3; ++shard) {
      executor_.Do([&] { router_.OnFrameRefused(bad.header, v1::REFUSAL_REASON_NON_FINITE); });
    }
  }
  ASSERT_EQ(quarantines_.size(), 1u);
  EXPECT_EQ(quarantines_[0].length, absl::Minutes(2));
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_MIX_REQUEST)), v1::REFUSAL_REASON_QUARANTINED);
  EXPECT_EQ(trainer_.waiting(), 0);
  executor_.Advance(absl::Minutes(2));
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_MIX_REQUEST)), kNone);
  v1::GossipStatus status;
  router_.FillStatus(status);
  EXPECT_EQ(status.offences(), 3);
  EXPECT_EQ(status.quarantines(), 1);
}

TEST_F(FrameRouterTest, AQuarantinedPeerMaySettleAndFetchAState) {
  for (uint64_t exchange = 1; exchange <= 3; ++exchange) {
    v1::ShardHeader header = Make(v1::FRAME_KIND_MIX_REQUEST).header;
    header.set_exchange_id(exchange);
    executor_.Do([&] {
      router_.Refuse(header, {v1::REFUSAL_REASON_OUT_OF_SCALE, "too large"}, nullptr);
    });
  }
  EXPECT_EQ(quarantines_.size(), 1u);
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_SETTLE)), kNone);
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_STATE_REQUEST)), v1::REFUSAL_REASON_NOT_TRAINING);
  EXPECT_EQ(Refused(v1::REFUSAL_REASON_QUARANTINED), 0);
}

TEST_F(FrameRouterTest, AWrongChecksumIsNobodysOffence) {
  for (uint64_t exchange = 1; exchange <= 50; ++exchange) {
    v1::ShardHeader header = Make(v1::FRAME_KIND_MIX_REQUEST).header;
    header.set_exchange_id(exchange);
    executor_.Do([&] { router_.OnFrameRefused(header, v1::REFUSAL_REASON_CORRUPT); });
  }
  EXPECT_TRUE(quarantines_.empty());
}

TEST_F(FrameRouterTest, AStrangersNonsenseIsNotChargedToAMember) {
  for (uint64_t exchange = 1; exchange <= 50; ++exchange) {
    v1::ShardHeader header = Make(v1::FRAME_KIND_MIX_REQUEST).header;
    header.set_exchange_id(exchange);
    header.set_run_id(8);
    executor_.Do([&] { router_.OnFrameRefused(header, v1::REFUSAL_REASON_NON_FINITE); });
  }
  EXPECT_TRUE(quarantines_.empty());
}

TEST_F(FrameRouterTest, DonorsThatHaveNothingRefuseToGiveIt) {
  EXPECT_EQ(RefusalOf(Make(v1::FRAME_KIND_STATE_REQUEST)), v1::REFUSAL_REASON_NOT_TRAINING);
}

}  // namespace
}  // namespace starling
