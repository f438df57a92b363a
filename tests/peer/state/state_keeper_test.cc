#include "peer/state/state_keeper.h"

#include "gtest/gtest.h"
#include "tests/peer/state/state_world.h"

namespace starling {
namespace {

const StateKeeperOptions kOptions{2, absl::Seconds(20), absl::Milliseconds(500)};

class StateKeeperTest : public ::testing::Test {
 protected:
  // Answers of the keeper, in order.
  void Ask() {
    world_.executor.Do([this] {
      donor_.keeper.Hold(
          v1::HoldState(), [this](v1::ControlResponse response) { answers_.push_back(std::move(response)); });
    });
  }
  uint64_t Held() {
    Ask();
    world_.Run();
    EXPECT_TRUE(answers_.back().has_state()) << answers_.back().DebugString();
    return answers_.back().state().state_id();
  }
  void ExpectBusy() {
    Ask();
    world_.Run();
    ASSERT_TRUE(answers_.back().has_refused());
    EXPECT_EQ(answers_.back().refused().reason(), v1::REFUSAL_REASON_BUSY);
    EXPECT_FALSE(answers_.back().refused().detail().empty());
  }
  void Release(uint64_t state) {
    world_.executor.Do([&] { donor_.keeper.Release(state); });
  }
  // What a request for a shard is answered with.
  Frame Request(uint64_t state, uint32_t shard) {
    Frame frame;
    StampHeader(world_.self, shard, frame.header);
    frame.header.set_kind(v1::FRAME_KIND_STATE_REQUEST);
    frame.header.set_exchange_id(state);
    world_.Deliver({DonorAddress(1), true, std::move(frame)});
    return world_.TakeFirst().frame;
  }
  void ExpectGone(uint64_t state) {
    const Frame answer = Request(state, 0);
    EXPECT_EQ(answer.header.kind(), v1::FRAME_KIND_REFUSAL);
    EXPECT_EQ(answer.header.refusal(), v1::REFUSAL_REASON_UNKNOWN_STATE);
  }
  void ExpectServed(uint64_t state) {
    EXPECT_EQ(Request(state, 0).header.kind(), v1::FRAME_KIND_STATE_REPLY);
  }
  // Long enough that a copy is no longer shared.
  void Later() { world_.executor.Advance(kOptions.share + absl::Milliseconds(1)); }

  StateWorld world_{ShardMap{10, 4}};
  StateWorld::Donor& donor_ = world_.AddDonor(1, kOptions);
  std::vector<v1::ControlResponse> answers_;
};

TEST_F(StateKeeperTest, ACopyStaysAsItWasHoweverLongItIsFetched) {
  const std::vector<float> values = donor_.owner.values;
  const uint64_t state = Held();
  EXPECT_NE(state, 0);
  EXPECT_EQ(answers_[0].state().step(), 1000);
  for (float& value : donor_.owner.values) value = 0;
  donor_.owner.step = 2000;
  for (uint32_t shard = 0; shard < 3; ++shard) {
    const Frame reply = Request(state, shard);
    EXPECT_EQ(reply.header.kind(), v1::FRAME_KIND_STATE_REPLY);
    EXPECT_EQ(reply.header.exchange_id(), state);
    EXPECT_EQ(reply.header.sender(), 1);
    EXPECT_EQ(reply.header.shard(), shard);
    EXPECT_EQ(reply.header.step(), 1000);
    EXPECT_EQ(reply.header.payload_hash(), answers_[0].state().shard_hashes(static_cast<int>(shard)));
    EXPECT_EQ(reply.payload.floats()[0], values[4 * shard]);
    EXPECT_EQ(reply.payload.floats().size(), shard == 2 ? 2 : 4);
  }
}

TEST_F(StateKeeperTest, AStateThatIsNotHeldIsRefused) {
  ExpectGone(1);
  const uint64_t state = Held();
  ExpectGone(state + 1);
}

TEST_F(StateKeeperTest, WhoeverAsksSoonAfterwardsGetsTheSameCopy) {
  const uint64_t state = Held();
  world_.executor.Advance(kOptions.share);
  EXPECT_EQ(Held(), state);
  EXPECT_EQ(donor_.owner.snapshots, 1);
  EXPECT_EQ(answers_[0].SerializeAsString(), answers_[1].SerializeAsString());
  world_.executor.Advance(absl::Milliseconds(1));
  EXPECT_NE(Held(), state);
  EXPECT_EQ(donor_.owner.snapshots, 2);
}

TEST_F(StateKeeperTest, BeyondTheBoundNewcomersAreRefusedAsBusy) {
  const uint64_t first = Held();
  Later();
  Held();
  Later();
  ExpectBusy();
  Release(first);
  Held();
  EXPECT_EQ(donor_.owner.snapshots, 3);
}

TEST_F(StateKeeperTest, CopiesThatAreBeingMadeCountForTheBound) {
  Ask();
  Ask();
  Ask();
  ASSERT_EQ(answers_.size(), 1);
  EXPECT_TRUE(answers_[0].has_refused());
  world_.Run();
  EXPECT_EQ(answers_.size(), 3);
  EXPECT_NE(answers_[1].state().state_id(), answers_[2].state().state_id());
}

TEST_F(StateKeeperTest, ASharedCopyIsFreedByItsLastHolder) {
  const uint64_t state = Held();
  EXPECT_EQ(Held(), state);
  Release(state);
  ExpectServed(state);
  Release(state);
  ExpectGone(state);
  Release(state);
  Release(12345);
}

TEST_F(StateKeeperTest, ACopyThatNobodyUsesIsDropped) {
  const uint64_t state = Held();
  world_.executor.Advance(kOptions.idle);
  ExpectGone(state);
  EXPECT_EQ(world_.executor.timers(), 0);
}

TEST_F(StateKeeperTest, ACopyInUseIsKeptAndDroppedOnceItIsNotAnyMore) {
  const uint64_t state = Held();
  for (int i = 0; i < 10; ++i) {
    world_.executor.Advance(kOptions.idle / 2);
    ExpectServed(state);
  }
  world_.executor.Advance(2 * kOptions.idle);
  ExpectGone(state);
  EXPECT_EQ(world_.executor.timers(), 0);
}

TEST_F(StateKeeperTest, ATrainerThatIsTooBusyMeansBusyAndLeavesNoTrace) {
  donor_.owner.full = true;
  for (size_t i = 0; i <= kOptions.copies; ++i) ExpectBusy();
  donor_.owner.full = false;
  Held();
}

}  // namespace
}  // namespace starling
