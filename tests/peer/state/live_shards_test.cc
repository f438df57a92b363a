#include "peer/state/live_shards.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

constexpr ShardMap kShards{40, 4};
constexpr LiveShardsOptions kOptions{.at_once = 2, .waiting = 3};

class LiveShardsTest : public ::testing::Test {
 protected:
  struct Back : public ReplyPath {
    void Send(Frame frame) override { sent.push_back(std::move(frame)); }
    std::vector<Frame> sent;
  };

  LiveShardsTest() {
    for (size_t i = 0; i < kShards.elements; ++i) owner_.values[i] = static_cast<float>(i);
    owner_.step = 7;
    owner_.samples = 70;
  }
  absl::optional<FrameFault> Ask(uint32_t shard) {
    Frame frame;
    StampHeader(identity_, shard, frame.header);
    frame.header.set_kind(v1::FRAME_KIND_STATE_REQUEST);
    absl::optional<FrameFault> fault;
    executor_.Do([&] { fault = live_.OnRequest(frame, back_); });
    return fault;
  }
  void Boundary() {
    owner_.Boundary();
    executor_.RunPosted();
  }

  const FrameIdentity identity_{PeerId(1), 1, RunId(7), 1, ModelFingerprint(9), kShards};
  ManualExecutor executor_;
  FakeParameterOwner owner_{std::vector<float>(kShards.elements), 4};
  LiveShards live_{&executor_, &owner_, identity_, kOptions};
  std::shared_ptr<Back> back_ = std::make_shared<Back>();
};

TEST_F(LiveShardsTest, AShardIsSentAsItIsAtTheStepBoundary) {
  EXPECT_FALSE(Ask(3).has_value());
  owner_.values[12] = 99;
  owner_.step = 8;
  Boundary();
  ASSERT_EQ(back_->sent.size(), 1);
  const Frame& reply = back_->sent[0];
  EXPECT_EQ(reply.header.kind(), v1::FRAME_KIND_STATE_REPLY);
  EXPECT_EQ(reply.header.exchange_id(), 0);
  EXPECT_EQ(reply.header.shard(), 3);
  EXPECT_EQ(reply.header.step(), 8);
  ASSERT_EQ(reply.payload.floats().size(), 4);
  EXPECT_EQ(reply.payload.floats()[0], 99);
  EXPECT_EQ(reply.payload.floats()[1], 13);
  EXPECT_EQ(owner_.snapshots, 0);
}

TEST_F(LiveShardsTest, AStepBoundaryHasNoMoreToCopyThanAllowed) {
  for (uint32_t shard = 0; shard < 5; ++shard) EXPECT_FALSE(Ask(shard).has_value());
  EXPECT_EQ(owner_.waiting(), 2);
  for (size_t sent = 2; sent <= 4; sent += 2) {
    Boundary();
    EXPECT_EQ(back_->sent.size(), sent);
    EXPECT_LE(owner_.waiting(), 2);
  }
  Boundary();
  EXPECT_EQ(back_->sent.size(), 5);
}

TEST_F(LiveShardsTest, ARepeatedRequestThatWaitsTakesNoSecondPlace) {
  for (uint32_t shard = 0; shard < 5; ++shard) EXPECT_FALSE(Ask(shard).has_value());
  const auto first = std::exchange(back_, std::make_shared<Back>());
  EXPECT_FALSE(Ask(4).has_value());
  for (int boundary = 0; boundary < 3; ++boundary) Boundary();
  EXPECT_EQ(first->sent.size(), 4);
  ASSERT_EQ(back_->sent.size(), 1) << "on the path of the last request";
  EXPECT_EQ(back_->sent[0].header.shard(), 4);
}

TEST_F(LiveShardsTest, WhatIsMoreThanTheQueueHoldsIsRefusedAsBusy) {
  for (uint32_t shard = 0; shard < 5; ++shard) EXPECT_FALSE(Ask(shard).has_value());
  const absl::optional<FrameFault> fault = Ask(5);
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->reason, v1::REFUSAL_REASON_BUSY);
  Boundary();
  EXPECT_FALSE(Ask(5).has_value());
}

TEST_F(LiveShardsTest, AFullMailboxOfTheTrainerLosesRequestsAndNothingElse) {
  owner_.full = true;
  for (uint32_t shard = 0; shard < 20; ++shard) EXPECT_FALSE(Ask(shard).has_value());
  owner_.full = false;
  EXPECT_FALSE(Ask(0).has_value());
  Boundary();
  EXPECT_EQ(back_->sent.size(), 1);
}

TEST_F(LiveShardsTest, TheOfferSaysWhatANewcomerMustKnowAndFreezesNothing) {
  std::vector<v1::ControlResponse> answers;
  executor_.Do([&] {
    live_.Offer([&](v1::ControlResponse response) { answers.push_back(std::move(response)); });
  });
  Boundary();
  ASSERT_EQ(answers.size(), 1);
  const v1::StateManifest& manifest = answers[0].state();
  EXPECT_EQ(manifest.state_id(), 0);
  EXPECT_EQ(manifest.step(), 7);
  EXPECT_EQ(manifest.samples(), 70);
  EXPECT_EQ(manifest.elements(), 40);
  EXPECT_EQ(manifest.shard_count(), 10);
  EXPECT_EQ(manifest.shard_hashes_size(), 0);
  EXPECT_EQ(owner_.snapshots, 0);
}

TEST_F(LiveShardsTest, ADonorTooBusyToAnswerSaysSo) {
  owner_.full = true;
  std::vector<v1::ControlResponse> answers;
  executor_.Do([&] {
    live_.Offer([&](v1::ControlResponse response) { answers.push_back(std::move(response)); });
  });
  ASSERT_EQ(answers.size(), 1);
  EXPECT_EQ(answers[0].refused().reason(), v1::REFUSAL_REASON_BUSY);
}

}  // namespace
}  // namespace starling
