#include "peer/state/average_evaluation.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/peer/state/state_world.h"
#include "tests/peer/training/fake_model.h"

namespace starling {
namespace {

class AverageEvaluationTest : public ::testing::Test {
 protected:
  AverageEvaluationTest() {
    script_->evaluate = [this](const std::vector<float>& parameters, const Batch& batch) {
      evaluated_ = parameters;
      return Evaluation{0.75, 1.5, batch.examples};
    };
    world_.on_frame = [this](const Frame& frame) { evaluation_.OnFrame(frame); };
  }

  void Start(std::vector<uint64_t> others) {
    std::map<PeerId, std::string> addresses;
    for (const uint64_t id : others) addresses[PeerId(id)] = DonorAddress(id);
    world_.executor.Do([&] {
      evaluation_.Start({}, addresses, [this](absl::StatusOr<v1::EvaluateAverageResponse> result) {
        results_.push_back(std::move(result));
      });
    });
    Settle();
  }
  void Settle() {
    for (int i = 0; i < 3; ++i) {
      world_.executor.RunPosted();
      own_.Boundary();
      world_.Settle();
    }
  }

  StateWorld world_{ShardMap{4, 3}};
  BufferPool pool_{size_t{1} << 20};
  std::shared_ptr<FakeModelScript> script_ = std::make_shared<FakeModelScript>();
  std::vector<float> evaluated_;
  FakeParameterOwner own_{{1, 1, 1, 1}};
  EvaluationActor evaluator_{&world_.executor,
                             std::make_unique<FakeModel>(script_, std::vector<float>(4)),
                             SmallDataset(10)};
  AverageEvaluation evaluation_{&world_.executor, &world_, &pool_, &own_, &evaluator_, world_.self};
  std::vector<absl::StatusOr<v1::EvaluateAverageResponse>> results_;
};

TEST_F(AverageEvaluationTest, TheAverageOfEverybodyIsEvaluatedAndNobodyIsChanged) {
  world_.AddDonor(1).owner.values = {2, 4, 6, 8};
  world_.AddDonor(2).owner.values = {3, 1, -1, 0};
  Start({1, 2});
  ASSERT_EQ(results_.size(), 1);
  ASSERT_TRUE(results_[0].ok()) << results_[0].status();
  EXPECT_EQ(evaluated_, (std::vector<float>{2, 2, 2, 3}));
  EXPECT_EQ(results_[0]->test_accuracy(), 0.75);
  EXPECT_EQ(results_[0]->test_loss(), 1.5);
  EXPECT_EQ(results_[0]->peer_ids_size(), 3);
  EXPECT_EQ(results_[0]->missing_size(), 0);
  // Distances from the average: (1+1+1+4), (0+4+16+25), (1+1+9+9).
  EXPECT_NEAR(results_[0]->consensus_distance(), std::sqrt((7 + 45 + 20) / 3.0), 1e-9);
  EXPECT_EQ(own_.values, (std::vector<float>{1, 1, 1, 1}));
  EXPECT_EQ(world_.donor(1).released.size(), 1);
  EXPECT_EQ(world_.donor(2).released.size(), 1);
}

TEST_F(AverageEvaluationTest, APeerAloneIsItsOwnAverage) {
  Start({});
  ASSERT_EQ(results_.size(), 1);
  ASSERT_TRUE(results_[0].ok());
  EXPECT_EQ(evaluated_, own_.values);
  EXPECT_EQ(results_[0]->consensus_distance(), 0);
}

TEST_F(AverageEvaluationTest, PeersThatDoNotDeliverAreListedAsMissing) {
  world_.AddDonor(1).owner.full = true;
  world_.AddDonor(2).owner.values = {3, 3, 3, 3};
  Start({1, 2, 3});
  world_.executor.Advance(absl::Seconds(11));
  Settle();
  ASSERT_EQ(results_.size(), 1);
  ASSERT_TRUE(results_[0].ok());
  EXPECT_EQ(evaluated_, (std::vector<float>{2, 2, 2, 2}));
  EXPECT_EQ(results_[0]->peer_ids_size(), 2);
  ASSERT_EQ(results_[0]->missing_size(), 2);
  EXPECT_NE(results_[0]->missing(0).find(PeerId(1).ToString()), std::string::npos);
  EXPECT_NE(results_[0]->missing(1).find(PeerId(3).ToString()), std::string::npos);
}

TEST_F(AverageEvaluationTest, OneEvaluationRunsAtATime) {
  world_.AddDonor(1).silent = true;
  Start({1});
  EXPECT_TRUE(results_.empty());
  Start({});
  ASSERT_EQ(results_.size(), 1);
  EXPECT_TRUE(absl::IsResourceExhausted(results_[0].status()));
  world_.executor.Advance(absl::Seconds(11));
  Settle();
  ASSERT_EQ(results_.size(), 2);
  EXPECT_TRUE(results_[1].ok());
  Start({});
  ASSERT_EQ(results_.size(), 3);
  EXPECT_TRUE(results_[2].ok());
}

TEST_F(AverageEvaluationTest, AnOwnTrainerThatIsTooBusyMeansUnavailable) {
  own_.full = true;
  Start({});
  ASSERT_EQ(results_.size(), 1);
  EXPECT_TRUE(absl::IsUnavailable(results_[0].status()));
}

TEST_F(AverageEvaluationTest, AFailedEvaluationIsReported) {
  script_->evaluate = [](const std::vector<float>&, const Batch&) -> absl::StatusOr<Evaluation> {
    return absl::InternalError("out of tensors");
  };
  Start({});
  ASSERT_EQ(results_.size(), 1);
  EXPECT_EQ(results_[0].status(), absl::InternalError("out of tensors"));
}

}  // namespace
}  // namespace starling
