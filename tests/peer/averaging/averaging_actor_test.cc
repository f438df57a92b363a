#include "peer/averaging/averaging_actor.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/peer/averaging/averaging_fakes.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

constexpr ShardMap kThreeShards{.elements = 5, .shard_elements = 2};
const absl::Time kStart = ManualExecutor().Now();

v1::RoundPlan Plan(uint64_t round, std::vector<uint64_t> participants, uint64_t epoch = 3) {
  v1::RoundPlan plan;
  plan.set_epoch(epoch);
  plan.set_round(round);
  for (const uint64_t id : participants) plan.add_participants(id);
  plan.set_deadline_seconds(10);
  return plan;
}

// Peer 1 of peers 1 and 2; shards 0 and 2 are its own. Peer 2 is the test.
class AveragingActorTest : public testing::Test {
 protected:
  AveragingActor::Deps MakeDeps() {
    return {.control = &executor_,
            .transport = &transport_,
            .parameters = &parameters_,
            .buffers = &buffers_,
            .self = PeerId(1),
            .shards = kThreeShards,
            .address_of = [this](PeerId id) {
              return address_known_ ? absl::StrCat("peer-", id.value(), ":1") : std::string();
            },
            .fill_header = [](v1::ShardHeader* header) {
              header->set_sender(1);
              header->set_run_id(77);
            }};
  }

  void OnPlan(const v1::RoundPlan& plan) {
    executor_.Do([&] { EXPECT_TRUE(actor_.OnPlan(plan).ok()); });
  }
  // nullopt as REFUSAL_REASON_UNSPECIFIED.
  v1::RefusalReason OnFrame(const Frame& frame, std::shared_ptr<ReplyPath> reply = nullptr) {
    v1::RefusalReason reason = v1::REFUSAL_REASON_UNSPECIFIED;
    executor_.Do([&] {
      const absl::optional<FrameFault> fault = actor_.OnFrame(frame, reply);
      if (fault) reason = fault->reason;
    });
    return reason;
  }
  v1::AveragingStatus Status() {
    v1::AveragingStatus status;
    executor_.Do([&] { status = actor_.Status(); });
    return status;
  }

  Frame FromPeerTwo(v1::FrameKind kind, uint32_t shard, std::vector<float> values,
                    uint64_t round = 1) {
    auto memory = std::make_shared<std::vector<float>>(std::move(values));
    const float* data = memory->data();
    const size_t bytes = memory->size() * sizeof(float);
    Frame frame;
    frame.payload = SharedBytes(std::move(memory), data, bytes);
    frame.header.set_kind(kind);
    frame.header.set_sender(2);
    frame.header.set_epoch(3);
    frame.header.set_round(round);
    frame.header.set_shard(shard);
    frame.header.set_shard_count(kThreeShards.count());
    frame.header.set_offset(kThreeShards.offset(shard));
    frame.header.set_elements(kThreeShards.length(shard));
    if (kind == v1::FRAME_KIND_AVERAGE) {
      frame.header.add_contributors(1);
      frame.header.add_contributors(2);
    }
    return frame;
  }
  Frame Reduce(uint32_t shard, std::vector<float> values) {
    return FromPeerTwo(v1::FRAME_KIND_REDUCE, shard, std::move(values));
  }
  Frame Average(uint32_t shard, std::vector<float> values) {
    return FromPeerTwo(v1::FRAME_KIND_AVERAGE, shard, std::move(values));
  }

  ManualExecutor executor_;
  RecordingTransport transport_;
  ParametersWithoutTrainer parameters_{{1, 2, 3, 4, 5}};
  BufferPool buffers_{0};
  bool address_known_ = true;
  AveragingActor actor_{RoundOptions(), MakeDeps()};
};

TEST_F(AveragingActorTest, ContributesSlicesOfItsSnapshotWithAFullHeader) {
  OnPlan(Plan(1, {1, 2}));
  ASSERT_EQ(transport_.sent.size(), 1u);
  const SentFrame& sent = transport_.sent[0];
  EXPECT_EQ(sent.address, "peer-2:1");
  const v1::ShardHeader& header = sent.frame.header;
  EXPECT_EQ(header.kind(), v1::FRAME_KIND_REDUCE);
  EXPECT_EQ(header.sender(), 1u);
  EXPECT_EQ(header.run_id(), 77u);
  EXPECT_EQ(header.epoch(), 3u);
  EXPECT_EQ(header.round(), 1u);
  EXPECT_EQ(header.shard(), 1u);
  EXPECT_EQ(header.shard_count(), 3u);
  EXPECT_EQ(header.offset(), 2u);
  EXPECT_EQ(header.elements(), 2u);
  EXPECT_EQ(header.step(), 42u);
  EXPECT_EQ(header.weight(), 1);
  EXPECT_EQ(sent.frame.payload.floats(), absl::MakeConstSpan({3.0f, 4.0f}));
}

TEST_F(AveragingActorTest, HowLongItsTransfersTakeIsAssumedAndThenMeasured) {
  const auto time = [&] {
    absl::Duration time;
    executor_.Do([&] { time = actor_.averaging_time(); });
    return time;
  };
  // Five parameters, as contributions and as averages, out and in, at 10 Mbit/s; twice if that was too short.
  const absl::Duration assumed = absl::Seconds(4 * 5 * 4 / 1.25e6);
  EXPECT_EQ(time(), assumed);
  OnPlan(Plan(1, {1, 2}));
  executor_.AdvanceTo(kStart + absl::Seconds(20));
  EXPECT_EQ(time(), 2 * assumed);
  OnPlan(Plan(2, {1, 2}));
  executor_.AdvanceTo(kStart + absl::Seconds(20) + absl::Microseconds(400));
  const auto from_two = [&](v1::FrameKind kind, uint32_t shard, std::vector<float> values) {
    return OnFrame(FromPeerTwo(kind, shard, std::move(values), 2));
  };
  from_two(v1::FRAME_KIND_REDUCE, 0, {3, 6});
  from_two(v1::FRAME_KIND_AVERAGE, 1, {7, 8});
  from_two(v1::FRAME_KIND_REDUCE, 2, {9});
  ASSERT_EQ(Status().rounds_complete(), 1u);
  EXPECT_NEAR(absl::ToDoubleMicroseconds(time()), 400, 0.01);
  executor_.AdvanceTo(kStart + absl::Seconds(60));
  EXPECT_NEAR(absl::ToDoubleMicroseconds(time()), 400, 0.01) << "it was complete";
  executor_.Do([&] {
    ASSERT_EQ(actor_.EffectiveValues().size(), 1u);
    EXPECT_EQ(actor_.EffectiveValues()[0].name(), "averaging deadline");
    EXPECT_EQ(actor_.EffectiveValues()[0].seconds(), 10);
  });
}

TEST_F(AveragingActorTest, AWholeRoundAveragesEveryShardAndKeepsLocalSteps) {
  OnPlan(Plan(1, {1, 2}));
  for (float& value : parameters_.values) value += 100;
  auto reply = std::make_shared<RecordingReplyPath>();
  EXPECT_EQ(OnFrame(Reduce(0, {3, 6}), reply), v1::REFUSAL_REASON_UNSPECIFIED);
  EXPECT_EQ(OnFrame(Average(1, {7, 8})), v1::REFUSAL_REASON_UNSPECIFIED);
  EXPECT_EQ(Status().rounds_complete(), 0u);
  EXPECT_EQ(OnFrame(Reduce(2, {9}), reply), v1::REFUSAL_REASON_UNSPECIFIED);
  EXPECT_EQ(parameters_.values, (std::vector<float>{102, 104, 107, 108, 107}));

  // The averages went back on the stream that brought the contributions.
  EXPECT_EQ(transport_.sent.size(), 1u);
  ASSERT_EQ(reply->sent.size(), 2u);
  const v1::ShardHeader& header = reply->sent[0].header;
  EXPECT_EQ(header.kind(), v1::FRAME_KIND_AVERAGE);
  EXPECT_EQ(header.shard(), 0u);
  EXPECT_EQ(std::vector<uint64_t>(header.contributors().begin(), header.contributors().end()),
            (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(reply->sent[0].payload.floats(), absl::MakeConstSpan({2.0f, 4.0f}));

  const v1::AveragingStatus status = Status();
  EXPECT_EQ(status.rounds_joined(), 1u);
  EXPECT_EQ(status.rounds_complete(), 1u);
  EXPECT_EQ(status.shards_applied(), 3u);
  EXPECT_EQ(status.last_round(), 1u);

  executor_.AdvanceTo(kStart + absl::Seconds(20));
  EXPECT_EQ(Status().SerializeAsString(), status.SerializeAsString());
  EXPECT_EQ(executor_.timers(), 0u);
  EXPECT_EQ(transport_.sent.size(), 1u);  // nothing was repeated
}

TEST_F(AveragingActorTest, WithoutAWayBackTheAverageGoesToTheAddress) {
  OnPlan(Plan(1, {1, 2}));
  OnFrame(Reduce(0, {3, 6}), nullptr);
  ASSERT_EQ(transport_.sent.size(), 2u);
  EXPECT_EQ(transport_.sent[1].address, "peer-2:1");
  EXPECT_EQ(transport_.sent[1].frame.header.kind(), v1::FRAME_KIND_AVERAGE);
}

TEST_F(AveragingActorTest, TheNewestWayBackIsUsed) {
  OnPlan(Plan(1, {1, 2}));
  auto first = std::make_shared<RecordingReplyPath>();
  auto second = std::make_shared<RecordingReplyPath>();
  OnFrame(Reduce(0, {3, 6}), first);
  OnFrame(Reduce(0, {3, 6}), second);  // the average was lost
  EXPECT_EQ(first->sent.size(), 1u);
  ASSERT_EQ(second->sent.size(), 1u);
  EXPECT_EQ(second->sent[0].payload.data(), first->sent[0].payload.data());
}

TEST_F(AveragingActorTest, AContributionIsRepeatedUntilItsAverageComes) {
  OnPlan(Plan(1, {1, 2}));
  executor_.AdvanceTo(kStart + absl::Milliseconds(1500));
  EXPECT_EQ(transport_.sent.size(), 2u);
  OnFrame(Average(1, {7, 8}));
  executor_.AdvanceTo(kStart + absl::Seconds(20));
  EXPECT_EQ(transport_.sent.size(), 2u);
}

TEST_F(AveragingActorTest, AFullQueueAndAnUnknownAddressAreTriedAgain) {
  transport_.full = true;
  OnPlan(Plan(1, {1, 2}));
  EXPECT_TRUE(transport_.sent.empty());
  transport_.full = false;
  address_known_ = false;
  executor_.AdvanceTo(kStart + absl::Milliseconds(1500));
  EXPECT_TRUE(transport_.sent.empty());
  address_known_ = true;
  executor_.AdvanceTo(kStart + absl::Milliseconds(2500));
  EXPECT_EQ(transport_.sent.size(), 1u);
}

TEST_F(AveragingActorTest, ARefusalForAnUnknownRoundIsFollowedByAnotherAttempt) {
  OnPlan(Plan(1, {1, 2}));
  Frame refusal =
      MakeRefusal(transport_.sent[0].frame.header, v1::REFUSAL_REASON_UNKNOWN_ROUND, "");
  refusal.header.set_sender(2);
  executor_.Do([&] { actor_.OnRefusal(refusal); });
  executor_.AdvanceTo(kStart + absl::Milliseconds(199));
  EXPECT_EQ(transport_.sent.size(), 1u);
  executor_.AdvanceTo(kStart + absl::Milliseconds(200));
  EXPECT_EQ(transport_.sent.size(), 2u);
}

TEST_F(AveragingActorTest, ABusyTrainerIsAskedAgain) {
  parameters_.busy = true;
  OnPlan(Plan(1, {1, 2}));
  EXPECT_EQ(parameters_.snapshots_asked, 1);
  parameters_.busy = false;
  executor_.AdvanceTo(kStart + absl::Milliseconds(60));
  EXPECT_EQ(parameters_.snapshots_asked, 2);
  EXPECT_EQ(transport_.sent.size(), 1u);

  parameters_.busy = true;
  OnFrame(Average(1, {7, 8}));
  EXPECT_EQ(Status().shards_applied(), 0u);
  parameters_.busy = false;
  executor_.AdvanceTo(kStart + absl::Milliseconds(120));
  EXPECT_EQ(parameters_.values, (std::vector<float>{1, 2, 7, 8, 5}));
  EXPECT_EQ(Status().shards_applied(), 1u);
}

TEST_F(AveragingActorTest, TheDeadlineEndsAPartialRound) {
  OnPlan(Plan(1, {1, 2}));
  OnFrame(Average(1, {7, 8}));
  executor_.AdvanceTo(kStart + absl::Seconds(10));
  const v1::AveragingStatus status = Status();
  EXPECT_EQ(status.rounds_partial(), 1u);
  EXPECT_EQ(status.rounds_complete(), 0u);
  EXPECT_EQ(status.shards_applied(), 1u);
  EXPECT_EQ(status.shards_missed(), 2u);
  EXPECT_EQ(OnFrame(Reduce(0, {3, 6})), v1::REFUSAL_REASON_UNKNOWN_ROUND);
}

TEST_F(AveragingActorTest, WaysBackAreLetGoOfWithTheRound) {
  OnPlan(Plan(1, {1, 2}));
  auto reply = std::make_shared<RecordingReplyPath>();
  OnFrame(Reduce(0, {3, 6}), reply);
  EXPECT_GT(reply.use_count(), 1);
  executor_.AdvanceTo(kStart + absl::Seconds(10));
  EXPECT_EQ(reply.use_count(), 1);
}

TEST_F(AveragingActorTest, ANewerPlanEndsTheRoundAndAnOlderOneIsIgnored) {
  OnPlan(Plan(1, {1, 2}));
  OnPlan(Plan(2, {1, 2}));
  EXPECT_EQ(transport_.sent.size(), 2u);
  EXPECT_EQ(transport_.sent[1].frame.header.round(), 2u);
  EXPECT_EQ(Status().rounds_joined(), 2u);
  EXPECT_EQ(Status().rounds_partial(), 1u);
  OnPlan(Plan(1, {1, 2}));
  OnPlan(Plan(2, {1, 2}));
  OnPlan(Plan(9, {1, 2}, /*epoch=*/2));
  EXPECT_EQ(Status().rounds_joined(), 2u);
  EXPECT_EQ(OnFrame(Reduce(0, {3, 6})), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  OnPlan(Plan(1, {1, 2}, /*epoch=*/4));
  EXPECT_EQ(Status().rounds_joined(), 3u);
  EXPECT_EQ(OnFrame(Reduce(0, {3, 6})), v1::REFUSAL_REASON_WRONG_EPOCH);
}

TEST_F(AveragingActorTest, ASnapshotForAnEarlierRoundIsNotUsed) {
  parameters_.hold_snapshots = true;
  OnPlan(Plan(1, {1, 2}));
  absl::AnyInvocable<void(Snapshot)> answer = std::move(parameters_.held);
  OnPlan(Plan(2, {1, 2}));
  answer(parameters_.MakeSnapshot());
  executor_.RunPosted();
  EXPECT_TRUE(transport_.sent.empty());
  parameters_.held(parameters_.MakeSnapshot());
  executor_.RunPosted();
  EXPECT_EQ(transport_.sent.size(), 1u);
}

TEST_F(AveragingActorTest, AnInvalidPlanChangesNothing) {
  OnPlan(Plan(1, {1, 2}));
  executor_.Do([&] {
    EXPECT_TRUE(absl::IsInvalidArgument(actor_.OnPlan(Plan(2, {2, 1}))));
    EXPECT_TRUE(absl::IsInvalidArgument(actor_.OnPlan(v1::RoundPlan())));
  });
  EXPECT_EQ(Status().last_round(), 1u);
  EXPECT_EQ(OnFrame(Reduce(0, {3, 6})), v1::REFUSAL_REASON_UNSPECIFIED);
}

TEST_F(AveragingActorTest, FramesBeforeTheFirstPlanAreOfAnUnknownRound) {
  EXPECT_EQ(OnFrame(Reduce(0, {3, 6})), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  EXPECT_EQ(OnFrame(FromPeerTwo(v1::FRAME_KIND_MIX_REQUEST, 0, {1, 2})),
            v1::REFUSAL_REASON_BAD_REQUEST);
}

TEST_F(AveragingActorTest, ARoundWithoutOthersIsNotCounted) {
  OnPlan(Plan(1, {1}));
  OnPlan(Plan(2, {2, 3}));
  EXPECT_EQ(parameters_.snapshots_asked, 0);
  EXPECT_EQ(Status().rounds_joined(), 0u);
  EXPECT_EQ(Status().last_round(), 2u);
  EXPECT_EQ(executor_.timers(), 0u);
}

TEST_F(AveragingActorTest, AfterStopNothingMoves) {
  OnPlan(Plan(1, {1, 2}));
  executor_.Do([&] { actor_.Stop(); });
  EXPECT_EQ(executor_.timers(), 0u);
  EXPECT_EQ(OnFrame(Average(1, {7, 8})), v1::REFUSAL_REASON_NOT_TRAINING);
  OnPlan(Plan(2, {1, 2}));
  EXPECT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(parameters_.values, (std::vector<float>{1, 2, 3, 4, 5}));
  EXPECT_EQ(Status().rounds_partial(), 1u);
  EXPECT_EQ(Status().shards_missed(), 3u);
}

}  // namespace
}  // namespace starling
