#include "peer/gossip/push_sum_mix.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

struct Worker {
  Values x;
  double mass;
};

Worker Draw(size_t length, uint64_t seed, double mass) {
  Random random(seed);
  Worker worker{{}, mass};
  for (size_t i = 0; i < length; ++i) worker.x.push_back(static_cast<float>(random.Normal()));
  return worker;
}

MixNorms Push(Worker& from, Worker& to) {
  from.mass /= 2;
  MixTerms terms{.incoming_mass = from.mass, .own_mass = to.mass};
  const MixNorms norms = MakePushSumMix()->Respond(absl::MakeSpan(to.x), from.x, {}, terms);
  to.mass = terms.own_mass;
  return norms;
}

TEST(PushSumMixTest, TheMassesAddUpAndTheValuesAreTheirWeightedMean) {
  for (const size_t length : {1, 16, 1041}) {
    const Worker from = Draw(length, 1, 0.5);
    const Worker before = Draw(length, 2, 1.5);
    Worker sender = from;
    Worker receiver = before;
    const MixNorms norms = Push(sender, receiver);
    EXPECT_EQ(receiver.mass, 1.75);
    double delta = 0;
    for (size_t i = 0; i < length; ++i) {
      EXPECT_NEAR(receiver.x[i], (1.5 * before.x[i] + 0.25 * from.x[i]) / 1.75, 1e-6);
      delta += std::pow(double{receiver.x[i]} - before.x[i], 2);
    }
    EXPECT_EQ(sender.x, from.x);
    EXPECT_NEAR(norms.squared_delta, delta, 1e-4 * delta);
  }
}

TEST(PushSumMixTest, TheMassWeightedSumNeverChangesAndThePlainOneDoes) {
  constexpr size_t kLength = 17;
  std::vector<Worker> workers;
  for (uint64_t i = 0; i < 5; ++i) workers.push_back(Draw(kLength, i, 1));
  auto sums = [&](size_t element) {
    double weighted = 0;
    double plain = 0;
    for (const Worker& worker : workers) {
      weighted += worker.mass * worker.x[element];
      plain += worker.x[element];
    }
    return std::pair(weighted, plain);
  };
  const auto before = sums(3);
  Random random(9);
  double mass = 0;
  double plain_drift = 0;
  for (int i = 0; i < 100; ++i) {
    const size_t from = random.UniformInt(5);
    Push(workers[from], workers[(from + 1 + random.UniformInt(4)) % 5]);
    EXPECT_NEAR(sums(3).first, before.first, 1e-5);
    plain_drift = std::max(plain_drift, std::abs(sums(3).second - before.second));
  }
  for (const Worker& worker : workers) mass += worker.mass;
  EXPECT_NEAR(mass, 5, 1e-12);
  EXPECT_GT(plain_drift, 0.1);
  EXPECT_FALSE(MakePushSumMix()->conserves_sum());
  EXPECT_TRUE(MakePushSumMix()->moves_mass());
}

TEST(PushSumMixTest, ValuesWithoutMassDoNotCount) {
  constexpr double kBad[] = {0, -1, std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()};
  for (const double bad : kBad) {
    for (const double own_mass : {0.0, 1.0}) {
      const Worker before = Draw(20, 1, own_mass);
      Values own = before.x;
      MixTerms terms{.incoming_mass = bad, .own_mass = own_mass};
      const MixNorms norms =
          MakePushSumMix()->Respond(absl::MakeSpan(own), Draw(20, 2, 1).x, {}, terms);
      EXPECT_EQ(own, before.x) << bad;
      EXPECT_EQ(terms.own_mass, own_mass) << bad;
      EXPECT_EQ(norms.squared_delta, 0) << bad;
    }
  }
}

TEST(PushSumMixTest, WhoHasNoMassTakesWhatComes) {
  Worker sender = Draw(20, 1, 1);
  Worker empty = Draw(20, 2, 0);
  Push(sender, empty);
  EXPECT_EQ(empty.mass, 0.5);
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(empty.x[i], sender.x[i], 1e-6);
}

TEST(PushSumMixTest, TheInitiatorDoesNotMove) {
  const Worker before = Draw(100, 1, 1);
  Values own = before.x;
  EXPECT_EQ(MakePushSumMix()->Commit(absl::MakeSpan(own), before.x, {}, {}), 0);
  EXPECT_EQ(own, before.x);
  EXPECT_FALSE(MakePushSumMix()->reply_has_payload());
}

}  // namespace
}  // namespace starling
