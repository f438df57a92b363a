#include "peer/training/evaluation_actor.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"
#include "tests/peer/training/fake_model.h"

namespace starling {
namespace {

struct Evaluator {
  explicit Evaluator(size_t examples)
      : actor(&executor, std::make_unique<FakeModel>(script, std::vector<float>{0, 0}),
              SmallDataset(examples)) {}

  bool Ask(std::vector<float> parameters) {
    return actor.Evaluate(BytesOf(parameters), [this](absl::StatusOr<Evaluation> result) {
      EXPECT_TRUE(executor.RunsHere());
      results.push_back(std::move(result));
    });
  }

  ManualExecutor executor;
  std::shared_ptr<FakeModelScript> script = std::make_shared<FakeModelScript>();
  EvaluationActor actor;
  std::vector<absl::StatusOr<Evaluation>> results;
};

TEST(EvaluationActorTest, TheGivenParametersAreMeasuredOnEveryExampleOnce) {
  Evaluator evaluator(1234);
  size_t largest = 0;
  evaluator.script->evaluate = [&](const std::vector<float>& parameters, const Batch& batch) {
    EXPECT_EQ(parameters, (std::vector<float>{3, 4}));
    largest = std::max(largest, batch.examples);
    Evaluation part;
    part.examples = batch.examples;
    for (const int64_t label : batch.labels) part.loss += static_cast<double>(label);
    part.loss /= static_cast<double>(batch.examples);
    for (const int64_t label : batch.labels) part.accuracy += label == 3 ? 1 : 0;
    part.accuracy /= static_cast<double>(batch.examples);
    return part;
  };
  EXPECT_TRUE(evaluator.Ask({3, 4}));
  EXPECT_TRUE(evaluator.results.empty());
  evaluator.executor.RunPosted();
  ASSERT_EQ(evaluator.results.size(), 1);
  const Evaluation result = *evaluator.results[0];
  EXPECT_EQ(result.examples, 1234);
  // Labels are the index mod 10: 124 times 0 to 3 and 123 times the others.
  EXPECT_NEAR(result.accuracy, 124.0 / 1234, 1e-12);
  EXPECT_NEAR(result.loss, (123.0 * 45 + 0 + 1 + 2 + 3) / 1234, 1e-9);
  EXPECT_LT(largest, 1234);
}

TEST(EvaluationActorTest, EvaluationsAreDoneInTheOrderOfAsking) {
  Evaluator evaluator(10);
  evaluator.script->evaluate = [](const std::vector<float>& parameters, const Batch& batch) {
    return Evaluation{parameters[0], 0, batch.examples};
  };
  evaluator.Ask({0.25f, 0});
  evaluator.Ask({0.75f, 0});
  evaluator.executor.RunPosted();
  ASSERT_EQ(evaluator.results.size(), 2);
  EXPECT_EQ(evaluator.results[0]->accuracy, 0.25);
  EXPECT_EQ(evaluator.results[1]->accuracy, 0.75);
}

TEST(EvaluationActorTest, AModelThatFailsFailsTheEvaluation) {
  Evaluator evaluator(10);
  evaluator.script->evaluate = [](const std::vector<float>&,
                                  const Batch&) -> absl::StatusOr<Evaluation> {
    return absl::InternalError("out of tensors");
  };
  evaluator.Ask({1, 1});
  evaluator.executor.RunPosted();
  ASSERT_EQ(evaluator.results.size(), 1);
  EXPECT_EQ(evaluator.results[0].status(), absl::InternalError("out of tensors"));
}

TEST(EvaluationActorTest, BeyondItsMailboxEvaluationsAreRefused) {
  Evaluator evaluator(10);
  for (size_t i = 0; i < EvaluationActor::kMailbox; ++i) EXPECT_TRUE(evaluator.Ask({1, 1}));
  EXPECT_FALSE(evaluator.Ask({1, 1}));
  evaluator.executor.RunPosted();
  EXPECT_EQ(evaluator.results.size(), EvaluationActor::kMailbox);
  EXPECT_TRUE(evaluator.Ask({1, 1}));
}

}  // namespace
}  // namespace starling
