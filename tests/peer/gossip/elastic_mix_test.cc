#include "peer/gossip/elastic_mix.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

struct Pair {
  Values a;
  Values b;
  Values reply;
};

Pair Draw(size_t length) {
  Random random(length);
  Pair pair;
  for (size_t i = 0; i < length; ++i) {
    pair.a.push_back(static_cast<float>(random.Normal()));
    pair.b.push_back(static_cast<float>(random.Normal()));
  }
  pair.reply.resize(length);
  return pair;
}

// a asks b.
void Exchange(const MixRule& rule, Pair& pair) {
  const Values snapshot = pair.a;
  MixTerms terms;
  rule.Respond(absl::MakeSpan(pair.b), snapshot, absl::MakeSpan(pair.reply), terms);
  rule.Commit(absl::MakeSpan(pair.a), snapshot, pair.reply, terms);
}

TEST(ElasticMixTest, HalfMakesBothTheMean) {
  Pair pair = Draw(1041);
  const Pair before = pair;
  Exchange(*MakeElasticMix(0.5), pair);
  for (size_t i = 0; i < pair.a.size(); ++i) {
    const double mean = (static_cast<double>(before.a[i]) + before.b[i]) / 2;
    EXPECT_NEAR(pair.a[i], mean, 1e-6);
    EXPECT_NEAR(pair.b[i], mean, 1e-6);
  }
}

TEST(ElasticMixTest, OneSwaps) {
  Pair pair = Draw(40);
  const Pair before = pair;
  Exchange(*MakeElasticMix(1), pair);
  for (size_t i = 0; i < pair.a.size(); ++i) {
    EXPECT_NEAR(pair.a[i], before.b[i], 1e-6);
    EXPECT_NEAR(pair.b[i], before.a[i], 1e-6);
  }
}

TEST(ElasticMixTest, TheDifferenceShrinksByOneMinusTwoAlpha) {
  for (const double alpha : {0.05, 0.25, 0.4, 0.5, 0.75}) {
    Pair pair = Draw(100);
    const Pair before = pair;
    Exchange(*MakeElasticMix(alpha), pair);
    for (size_t i = 0; i < pair.a.size(); ++i) {
      const double difference = static_cast<double>(before.a[i]) - before.b[i];
      EXPECT_NEAR(pair.a[i] - pair.b[i], (1 - 2 * alpha) * difference, 2e-6) << alpha;
    }
  }
}

TEST(ElasticMixTest, WhatOneSideAddsTheOtherSubtractsBitForBit) {
  for (const double alpha : {0.1, 0.3, 0.5}) {
    for (const size_t length : {1, 15, 16, 17, 1041}) {
      Pair pair = Draw(length);
      const Pair before = pair;
      Exchange(*MakeElasticMix(alpha), pair);
      for (size_t i = 0; i < length; ++i) {
        const volatile float added = before.a[i] + pair.reply[i];
        const volatile float subtracted = before.b[i] - pair.reply[i];
        ASSERT_EQ(pair.a[i], added) << alpha << " " << i;
        ASSERT_EQ(pair.b[i], subtracted) << alpha << " " << i;
      }
    }
  }
}

// Peers on a ring, each of whom asks the next: every one is pulled by both of its neighbours.
TEST(ElasticMixTest, ExchangesOfOneMomentAddUp) {
  constexpr size_t kPeers = 5;
  constexpr float kAlpha = 0.2f;
  const auto rule = MakeElasticMix(kAlpha);
  const Values before = {3, -1, 4, 1, -5};
  Values after = before;
  for (size_t i = 0; i < kPeers; ++i) {
    const size_t next = (i + 1) % kPeers;
    Values next_before = {before[next]};
    Values reply(1);
    MixTerms terms;
    rule->Respond(absl::MakeSpan(next_before), {before[i]}, absl::MakeSpan(reply), terms);
    after[next] -= reply[0];
    rule->Commit(absl::MakeSpan(&after[i], 1), {before[i]}, reply, terms);
  }
  for (size_t i = 0; i < kPeers; ++i) {
    const float left = before[(i + kPeers - 1) % kPeers];
    const float right = before[(i + 1) % kPeers];
    EXPECT_NEAR(after[i], before[i] - kAlpha * ((before[i] - right) + (before[i] - left)), 1e-5);
  }
}

}  // namespace
}  // namespace starling
