#include "peer/gossip/push_mix.h"

#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

Values Draw(size_t length, uint64_t seed) {
  Random random(seed);
  Values values;
  for (size_t i = 0; i < length; ++i) values.push_back(static_cast<float>(random.Normal()));
  return values;
}

TEST(PushMixTest, TheResponderMovesHalfWayToWhatComesIn) {
  for (const size_t length : {1, 15, 16, 1041}) {
    const Values pushed = Draw(length, 1);
    const Values before = Draw(length, 2);
    Values own = before;
    MixTerms terms;
    const MixNorms norms = MakePushMix()->Respond(absl::MakeSpan(own), pushed, {}, terms);
    double distance = 0;
    double delta = 0;
    for (size_t i = 0; i < length; ++i) {
      EXPECT_NEAR(own[i], (before[i] + pushed[i]) / 2, 1e-6);
      distance += (pushed[i] - before[i]) * (pushed[i] - before[i]);
      delta += (own[i] - before[i]) * (own[i] - before[i]);
    }
    EXPECT_NEAR(norms.squared_distance, distance, 1e-4 * distance);
    EXPECT_NEAR(norms.squared_delta, delta, 1e-4 * delta);
  }
}

TEST(PushMixTest, TheInitiatorDoesNotMoveAndLearnsNothing) {
  const Values before = Draw(100, 1);
  Values own = before;
  EXPECT_EQ(MakePushMix()->Commit(absl::MakeSpan(own), before, {}, {}), 0);
  EXPECT_EQ(own, before);
  EXPECT_FALSE(MakePushMix()->reply_has_payload());
}

TEST(PushMixTest, OfTwoThatArriveTheLaterWeighsAHalf) {
  Values own = {8};
  MixTerms terms;
  MakePushMix()->Respond(absl::MakeSpan(own), {4}, {}, terms);
  MakePushMix()->Respond(absl::MakeSpan(own), {0}, {}, terms);
  EXPECT_EQ(own[0], 8 * 0.25f + 4 * 0.25f);
}

}  // namespace
}  // namespace starling
