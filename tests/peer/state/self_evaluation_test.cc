#include "peer/state/self_evaluation.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"
#include "tests/peer/training/fake_model.h"

namespace starling {
namespace {

class SelfEvaluationTest : public ::testing::Test {
 protected:
  SelfEvaluationTest() {
    script_->evaluate = [this](const std::vector<float>& parameters, const Batch& batch) {
      evaluated_.push_back(parameters);
      return Evaluation{0.75, 1.5, batch.examples};
    };
  }

  template <typename Body>
  void Do(Body body) {
    executor_.Do(body);
    Settle();
  }
  void Advance(absl::Duration duration) {
    executor_.Advance(duration);
    Settle();
  }
  void Settle() {
    for (int i = 0; i < 3; ++i) {
      executor_.RunPosted();
      owner_.Boundary();
    }
    executor_.RunPosted();
  }

  ManualExecutor executor_;
  std::shared_ptr<FakeModelScript> script_ = std::make_shared<FakeModelScript>();
  std::vector<std::vector<float>> evaluated_;
  std::vector<absl::Status> errors_;
  uint64_t mixes_ = 0;
  FakeParameterOwner owner_{{1, 2}};
  EvaluationActor evaluator_{
      &executor_, std::make_unique<FakeModel>(script_, std::vector<float>(2)), SmallDataset(10)};
  SelfEvaluation evaluation_{&executor_,
                             &owner_,
                             &evaluator_,
                             absl::Seconds(20),
                             [this] { return mixes_; },
                             [this](const absl::Status& error) { errors_.push_back(error); }};
};

TEST_F(SelfEvaluationTest, MeasuresEverySoOftenWhileTraining) {
  Do([&] { evaluation_.Begin(); });
  Advance(absl::Seconds(19));
  Do([&] { evaluation_.OnStep(); });
  EXPECT_TRUE(evaluated_.empty());
  EXPECT_FALSE(evaluation_.last().evaluated());
  Advance(absl::Seconds(1));
  owner_.step = 7;
  Do([&] { evaluation_.OnStep(); });
  EXPECT_EQ(evaluated_, (std::vector<std::vector<float>>{{1, 2}}));
  EXPECT_EQ(evaluation_.last().test_accuracy(), 0.75);
  EXPECT_EQ(evaluation_.last().evaluated_step(), 7u);
  Do([&] { evaluation_.OnStep(); });
  EXPECT_EQ(evaluated_.size(), 1u);
}

TEST_F(SelfEvaluationTest, TheMeasurementAtTheEndIsOwedHoweverBusyTheTrainerIs) {
  owner_.full = true;
  Do([&] { evaluation_.OnFinished(); });
  EXPECT_TRUE(evaluated_.empty());
  owner_.full = false;
  Advance(absl::Seconds(1));
  EXPECT_GE(evaluated_.size(), 1u);
}

TEST_F(SelfEvaluationTest, AFinishedPeerIsMeasuredAgainWhenOthersHaveMovedIt) {
  Do([&] { evaluation_.OnFinished(); });
  ASSERT_EQ(evaluated_.size(), 1u);
  Advance(absl::Seconds(5));
  EXPECT_EQ(evaluated_.size(), 1u);
  owner_.values = {3, 4};
  mixes_ = 1;
  Advance(absl::Seconds(1));
  EXPECT_EQ(evaluated_.size(), 2u);
  EXPECT_EQ(evaluated_.back(), owner_.values);
  Do([&] { evaluation_.Stop(); });
  mixes_ = 2;
  Advance(absl::Seconds(1));
  EXPECT_EQ(evaluated_.size(), 2u);
}

}  // namespace
}  // namespace starling
