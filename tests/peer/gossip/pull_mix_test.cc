#include "peer/gossip/pull_mix.h"

#include <cstring>
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

// `asker` as it becomes by pulling from `asked`.
Values Pulled(const Values& asker, Values asked, double strength = 0.5) {
  const auto rule = MakePullMix(strength);
  Values reply(asked.size());
  MixTerms terms;
  rule->Respond(absl::MakeSpan(asked), {}, absl::MakeSpan(reply), terms);
  Values own = asker;
  rule->Commit(absl::MakeSpan(own), asker, reply, terms);
  return own;
}

TEST(PullMixTest, TheResponderDoesNotMoveAndRepliesWithItself) {
  const Values before = Draw(1041, 1);
  Values own = before;
  Values reply(own.size());
  MixTerms terms;
  const MixNorms norms =
      MakePullMix()->Respond(absl::MakeSpan(own), {}, absl::MakeSpan(reply), terms);
  EXPECT_EQ(std::memcmp(own.data(), before.data(), before.size() * sizeof(float)), 0);
  EXPECT_EQ(std::memcmp(reply.data(), before.data(), before.size() * sizeof(float)), 0);
  EXPECT_EQ(norms.squared_delta, 0);
}

TEST(PullMixTest, TheInitiatorMovesHalfWay) {
  const Values asker = Draw(1041, 1);
  const Values asked = Draw(1041, 2);
  const Values moved = Pulled(asker, asked);
  for (size_t i = 0; i < moved.size(); ++i) {
    EXPECT_NEAR(moved[i], (asker[i] + asked[i]) / 2, 1e-6);
  }
}

TEST(PullMixTest, TheStrengthIsTheShareOfTheWay) {
  const Values asker = Draw(1041, 1);
  const Values asked = Draw(1041, 2);
  for (const double strength : {0.1, 0.9, 1.0}) {
    const Values moved = Pulled(asker, asked, strength);
    for (size_t i = 0; i < moved.size(); ++i) {
      EXPECT_NEAR(moved[i], asker[i] + strength * (asked[i] - asker[i]), 1e-6) << strength;
    }
  }
}

TEST(PullMixTest, WhatTheInitiatorDidMeanwhileIsKeptInFull) {
  const auto rule = MakePullMix(0.5);
  Values own = {7};
  MixTerms terms;
  EXPECT_EQ(rule->Commit(absl::MakeSpan(own), {2}, {4}, terms), 4);
  EXPECT_EQ(own[0], 8);
}

TEST(PullMixTest, TwoWhoPullAtOneMomentMeet) {
  const Values a = Draw(100, 1);
  const Values b = Draw(100, 2);
  const Values a_after = Pulled(a, b);
  const Values b_after = Pulled(b, a);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a_after[i], (a[i] + b[i]) / 2, 1e-6);
    EXPECT_NEAR(b_after[i], (a[i] + b[i]) / 2, 1e-6);
  }
}

TEST(PullMixTest, OnePullMovesTheMeanAndAllPossiblePullsTogetherDoNot) {
  const std::vector<Values> peers = {Draw(1, 1), Draw(1, 2), Draw(1, 3), Draw(1, 4)};
  double moves = 0;
  for (const Values& asker : peers) {
    for (const Values& asked : peers) {
      if (&asker == &asked) continue;
      const double move = Pulled(asker, asked)[0] - asker[0];
      EXPECT_NE(move, 0);
      moves += move;
    }
  }
  EXPECT_NEAR(moves, 0, 1e-5);
  EXPECT_FALSE(MakePullMix()->conserves_sum());
}

}  // namespace
}  // namespace starling
