#include "peer/state/joiner.h"

#include <algorithm>
#include <cstring>

#include "gtest/gtest.h"
#include "tests/peer/state/state_world.h"

namespace starling {
namespace {

class JoinerTest : public ::testing::Test {
 protected:
  explicit JoinerTest(FetchMode mode = FetchMode::kOneCopy) {
    options_.mode = mode;
    joiner_.emplace(&world_.executor, &world_, &pool_, world_.self, Random(1), options_,
                    [this](const std::string& line) { log_.push_back(line); });
    world_.on_frame = [this](const Frame& frame) { joiner_->OnFrame(frame); };
  }

  void Start() {
    v1::ControlRequest request;
    request.set_run_id(7);
    world_.executor.Do([&] {
      joiner_->Start(request, [this](absl::StatusOr<absl::optional<Snapshot>> result) {
        results_.push_back(std::move(result));
      });
    });
    world_.Run();
  }
  void Swarm(std::vector<uint64_t> donors, bool settled) {
    std::map<PeerId, Donor> known;
    for (const uint64_t id : donors) known[PeerId(id)] = {DonorAddress(id), step_time_};
    world_.executor.Do([&] { joiner_->OnSwarm(known, settled); });
    world_.Run();
  }
  void ExpectTookOver(uint64_t donor) {
    ASSERT_EQ(results_.size(), 1);
    ASSERT_TRUE(results_[0].ok()) << results_[0].status();
    ASSERT_TRUE(results_[0]->has_value());
    const Snapshot& state = **results_[0];
    const std::vector<float>& expected = world_.donor(donor).owner.values;
    EXPECT_EQ(std::memcmp(state.values.data(), expected.data(), state.values.size()), 0);
    EXPECT_EQ(state.step, 1000 * donor);
    EXPECT_FALSE(joiner_->running());
  }
  void ExpectSeed() {
    ASSERT_EQ(results_.size(), 1);
    ASSERT_TRUE(results_[0].ok()) << results_[0].status();
    EXPECT_FALSE(results_[0]->has_value());
    EXPECT_FALSE(joiner_->running());
  }

  StateWorld world_{ShardMap{160, 4}};
  BufferPool pool_{size_t{1} << 20};
  JoinerOptions options_;
  absl::Duration step_time_;  // of all donors, as far as known
  std::vector<std::string> log_;
  absl::optional<Joiner> joiner_;
  std::vector<absl::StatusOr<absl::optional<Snapshot>>> results_;
};

TEST_F(JoinerTest, TheStateOfATrainingPeerIsTakenOver) {
  world_.AddDonor(1);
  Start();
  Swarm({1}, true);
  world_.Settle();
  ExpectTookOver(1);
  ASSERT_EQ(log_.size(), 1);
  EXPECT_NE(log_[0].find("verified"), std::string::npos);
}

TEST_F(JoinerTest, DonorsKnownBeforeTheStartAreAskedToo) {
  world_.AddDonor(1);
  Swarm({1}, true);
  EXPECT_EQ(world_.donor(1).holds, 0);
  Start();
  world_.Settle();
  ExpectTookOver(1);
}

TEST_F(JoinerTest, IfNobodyTrainsItStartsFromTheSeed) {
  Start();
  EXPECT_TRUE(results_.empty());
  Swarm({}, false);
  EXPECT_TRUE(results_.empty());
  Swarm({}, true);
  ExpectSeed();
}

TEST_F(JoinerTest, WithoutAnyWordItStartsFromTheSeedAfterAWhile) {
  Start();
  world_.executor.Advance(options_.settle - absl::Milliseconds(1));
  EXPECT_TRUE(results_.empty());
  world_.executor.Advance(absl::Milliseconds(1));
  ExpectSeed();
}

TEST_F(JoinerTest, AFailedDonorIsFollowedByAnother) {
  world_.AddDonor(1).owner.full = true;
  world_.AddDonor(2).owner.full = true;
  world_.AddDonor(3);
  Start();
  Swarm({1, 2, 3}, true);
  world_.Settle();
  world_.executor.Advance(absl::Seconds(1));
  world_.Settle();
  ExpectTookOver(3);
  EXPECT_LE(world_.donor(1).holds, 1);
  EXPECT_LE(world_.donor(2).holds, 1);
}

TEST_F(JoinerTest, WhenAllFailedItTriesAgainEverMoreRarelyAndNeverStartsFromTheSeed) {
  StateWorld::Donor& donor = world_.AddDonor(1);
  donor.owner.full = true;
  Start();
  Swarm({1}, true);
  EXPECT_EQ(donor.holds, 1);
  world_.executor.Advance(absl::Milliseconds(200));
  EXPECT_EQ(donor.holds, 2);
  world_.executor.Advance(absl::Milliseconds(200));
  EXPECT_EQ(donor.holds, 2);
  world_.executor.Advance(absl::Milliseconds(200));
  EXPECT_EQ(donor.holds, 3);
  world_.executor.Advance(absl::Minutes(1));
  // 16 * 200 ms at most in between.
  EXPECT_GT(donor.holds, 15);
  EXPECT_LT(donor.holds, 30);
  EXPECT_TRUE(results_.empty());
  donor.owner.full = false;
  world_.executor.Advance(absl::Seconds(4));
  world_.Settle();
  ExpectTookOver(1);
}

TEST_F(JoinerTest, ADonorIsGivenTwoOfItsSteps) {
  world_.AddDonor(1).silent = true;
  step_time_ = absl::Seconds(30);
  Start();
  Swarm({1}, true);
  world_.executor.Advance(absl::Seconds(64));
  EXPECT_TRUE(log_.empty()) << log_[0];
  world_.executor.Advance(absl::Seconds(1));
  EXPECT_EQ(log_.size(), 1);
}

TEST_F(JoinerTest, PatienceDoublesWithSilenceAndHasALimit) {
  StateWorld::Donor& donor = world_.AddDonor(1);
  donor.silent = true;
  Start();
  Swarm({1}, true);
  for (const int seconds : {10, 20, 40, 80, 160, 320, 600, 600}) {
    const size_t told = log_.size();
    world_.executor.Advance(absl::Seconds(seconds) - absl::Milliseconds(1));
    EXPECT_EQ(log_.size(), told) << seconds;
    world_.executor.Advance(absl::Milliseconds(1));
    EXPECT_EQ(log_.size(), told + 1) << seconds;
    // Until just after the pause.
    world_.executor.Advance(options_.backoff * (1 << std::min(told, size_t{4})));
  }
  donor.silent = false;
  world_.executor.Advance(options_.longest_patience + absl::Seconds(4));
  world_.Settle();
  ExpectTookOver(1);
}

TEST_F(JoinerTest, ADonorThatDisappearsIsFollowedByAnother) {
  world_.AddDonor(1);
  Start();
  Swarm({1}, true);
  world_.AddDonor(2);
  Swarm({2}, true);
  world_.executor.Advance(absl::Seconds(1));
  world_.Settle();
  ExpectTookOver(2);
}

TEST_F(JoinerTest, ADonorThatWasGoneForAMomentIsAskedAgain) {
  world_.AddDonor(1);
  Start();
  Swarm({1}, true);
  Swarm({}, true);
  EXPECT_TRUE(results_.empty());
  world_.executor.Advance(options_.settle - absl::Milliseconds(1));
  EXPECT_TRUE(results_.empty());
  Swarm({1}, true);
  world_.executor.Advance(absl::Milliseconds(500));
  world_.Settle();
  ExpectTookOver(1);
}

TEST_F(JoinerTest, IfAllDonorsStayGoneItStartsFromTheSeed) {
  world_.AddDonor(1);
  Start();
  Swarm({1}, true);
  Swarm({}, true);
  world_.executor.Advance(options_.settle);
  ExpectSeed();
}

TEST_F(JoinerTest, ASwarmThatTrainsAnotherModelEndsIt) {
  world_.AddDonor(1).lie = [](v1::ControlResponse& response) {
    response.mutable_state()->set_model_fingerprint(1);
  };
  Start();
  Swarm({1}, true);
  ASSERT_EQ(results_.size(), 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(results_[0].status())) << results_[0].status();
}

TEST_F(JoinerTest, TheResultOfAFetchThatWasCalledOffIsNotBlamedOnTheNext) {
  StateWorld::Donor& silent = world_.AddDonor(1);
  world_.AddDonor(2);
  silent.silent = true;
  Start();
  Swarm({1}, true);
  // The failure of the first fetch is on its way while the second begins.
  world_.executor.Advance(options_.source.patience - absl::Milliseconds(1));
  world_.executor.Freeze(absl::Milliseconds(1));
  Swarm({2}, true);
  world_.executor.Advance(absl::Milliseconds(500));
  world_.Settle();
  ExpectTookOver(2);
  EXPECT_EQ(world_.donor(2).holds, 1);
}

class PatchworkJoinerTest : public JoinerTest {
 protected:
  PatchworkJoinerTest() : JoinerTest(FetchMode::kPatchwork) {
    for (uint64_t id = 1; id <= 6; ++id) world_.AddDonor(id).owner.step = 5000;
  }
  int holds() {
    int count = 0;
    for (uint64_t id = 1; id <= 6; ++id) count += world_.donor(id).holds;
    return count;
  }
};

TEST_F(PatchworkJoinerTest, FourDonorsAreAskedAtOnce) {
  Start();
  Swarm({1, 2, 3, 4, 5, 6}, true);
  EXPECT_EQ(holds(), 4);
  world_.Settle();
  ASSERT_EQ(results_.size(), 1);
  EXPECT_EQ((*results_[0])->step, 5000);
  EXPECT_NE(log_.back().find("shards"), std::string::npos) << log_.back();
}

TEST_F(PatchworkJoinerTest, ABusyDonorIsReplacedByOneThatWasNotAsked) {
  for (uint64_t id = 1; id <= 3; ++id) world_.donor(id).owner.full = true;
  Start();
  Swarm({1, 2, 3, 4, 5, 6}, true);
  world_.Settle();
  ASSERT_EQ(results_.size(), 1);
  EXPECT_TRUE(results_[0].ok());
}

TEST_F(JoinerTest, StoppedItReportsNothing) {
  world_.AddDonor(1);
  Start();
  Swarm({1}, true);
  world_.executor.Do([&] { joiner_->Stop(); });
  world_.Settle();
  Swarm({}, true);
  world_.executor.Advance(absl::Minutes(1));
  EXPECT_TRUE(results_.empty());
  EXPECT_FALSE(joiner_->running());
}

}  // namespace
}  // namespace starling
