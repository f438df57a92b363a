#include "peer/gossip/staleness_mix.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
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

struct Outcome {
  Values initiator;
  Values responder;
  Values reply;
  MixNorms norms;
  double distance;
};

Outcome Exchange(const MixRule& rule, const Values& initiator, const Values& responder,
                 double staleness) {
  Outcome outcome{initiator, responder, Values(initiator.size()), {}, 0};
  MixTerms terms{.staleness = staleness};
  outcome.norms = rule.Respond(absl::MakeSpan(outcome.responder), initiator,
                               absl::MakeSpan(outcome.reply), terms);
  outcome.distance =
      rule.Commit(absl::MakeSpan(outcome.initiator), initiator, outcome.reply, terms);
  return outcome;
}

TEST(StalenessMixTest, FreshIsTheElasticRuleBitForBit) {  // DW-T1
  const Values a = Draw(1041, 1);
  const Values b = Draw(1041, 2);
  for (const double alpha : {0.1, 0.3, 0.5}) {
    const Outcome fresh = Exchange(*MakeStalenessMix(alpha), a, b, 0);
    const Outcome elastic = Exchange(*MakeElasticMix(alpha), a, b, 0);
    EXPECT_EQ(fresh.initiator, elastic.initiator);
    EXPECT_EQ(fresh.responder, elastic.responder);
  }
}

TEST(StalenessMixTest, TheEntirelyStaleBecomeACopyAndTheOtherDoesNotMove) {  // DW-T1
  const Values a = Draw(1041, 1);
  const Values b = Draw(1041, 2);
  const Outcome outcome = Exchange(*MakeStalenessMix(0.1), a, b, 1);
  EXPECT_EQ(outcome.responder, b);
  EXPECT_EQ(outcome.norms.squared_delta, 0);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(outcome.initiator[i], b[i], 1e-6);
}

TEST(StalenessMixTest, TheSumChangesByTheDeclaredDefect) {  // DW-T2
  const Values a = Draw(1041, 1);
  const Values b = Draw(1041, 2);
  const auto rule = MakeStalenessMix(0.2);
  for (const double z : {0.0, 0.25, 0.5, 1.0}) {
    const Outcome outcome = Exchange(*rule, a, b, z);
    const double defect = rule->initiator_share(z) - rule->responder_share(z);
    EXPECT_NEAR(defect, z, 1e-12);
    for (size_t i = 0; i < a.size(); ++i) {
      const double change = double{outcome.initiator[i]} + outcome.responder[i] - a[i] - b[i];
      EXPECT_NEAR(change, defect * outcome.reply[i], 2e-6) << z;
    }
  }
}

TEST(StalenessMixTest, EachSideMovesItsShareOfTheVeryNumbersThatTravel) {
  const Values a = Draw(100, 1);
  const Values b = Draw(100, 2);
  const auto rule = MakeStalenessMix(0.3);
  const Outcome outcome = Exchange(*rule, a, b, 0.4);
  for (size_t i = 0; i < a.size(); ++i) {
    const volatile float d = outcome.reply[i];
    const volatile float subtracted = static_cast<float>(rule->responder_share(0.4)) * d;
    const volatile float added = static_cast<float>(rule->initiator_share(0.4)) * d;
    ASSERT_EQ(d, b[i] - a[i]);
    ASSERT_EQ(outcome.responder[i], b[i] - subtracted);
    ASSERT_EQ(outcome.initiator[i], a[i] + added);
  }
}

TEST(StalenessMixTest, TheNormsAreThoseOfWhatHappened) {
  const Values a = Draw(1041, 1);
  const Values b = Draw(1041, 2);
  const Outcome outcome = Exchange(*MakeStalenessMix(0.3), a, b, 0.5);
  double distance = 0;
  double delta = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    distance += std::pow(double{a[i]} - b[i], 2);
    delta += std::pow(double{outcome.responder[i]} - b[i], 2);
  }
  EXPECT_NEAR(outcome.norms.squared_distance, distance, 1e-4 * distance);
  EXPECT_NEAR(outcome.distance, distance, 1e-4 * distance);
  EXPECT_NEAR(outcome.norms.squared_delta, delta, 1e-4 * delta);
}

TEST(StalenessMixTest, StalenessOutsideItsRangeIsTheNearerEnd) {
  const auto rule = MakeStalenessMix(0.2);
  EXPECT_EQ(rule->initiator_share(-3), rule->initiator_share(0));
  EXPECT_EQ(rule->initiator_share(7), 1);
  EXPECT_EQ(rule->responder_share(7), 0);
  EXPECT_EQ(rule->responder_share(std::numeric_limits<double>::quiet_NaN()), 0.2);
}

}  // namespace
}  // namespace starling
