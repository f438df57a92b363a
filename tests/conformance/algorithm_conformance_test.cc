// What every algorithm of the registry that exchanges must hold to, whatever its mix rule computes.
// A new row of the registry is tested here by itself.

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/algorithms/registry.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

std::vector<std::string> ExchangingAlgorithms() {
  std::vector<std::string> names;
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    v1::AlgorithmConfig config;
    config.set_name(std::string(row.name));
    if (MakeAlgorithm(config)->mix != nullptr) names.emplace_back(row.name);
  }
  return names;
}

// The default configuration and, for every option, both ends of its range.
std::vector<v1::AlgorithmConfig> Configurations(const std::string& name) {
  std::vector<v1::AlgorithmConfig> configurations(1);
  configurations[0].set_name(name);
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    if (row.name != name) continue;
    for (const AlgorithmOptionSpec& option : row.options) {
      const double low = option.minimum_allowed
                             ? option.minimum
                             : option.minimum + (option.maximum - option.minimum) / 1000;
      for (const double value : {low, option.maximum}) {
        v1::AlgorithmConfig& configuration = configurations.emplace_back(configurations[0]);
        v1::AlgorithmOption* given = configuration.add_options();
        given->set_name(std::string(option.name));
        given->set_value(value);
      }
    }
  }
  return configurations;
}

class AlgorithmConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr size_t kLengths[] = {1, 2, 15, 16, 17, 1000, 1041};

  // Calls `check(rule)` for every configuration of the algorithm.
  template <typename Check>
  void ForEveryRule(Check check) {
    for (const v1::AlgorithmConfig& configuration : Configurations(GetParam())) {
      SCOPED_TRACE(configuration.ShortDebugString());
      const absl::StatusOr<Algorithm> algorithm = MakeAlgorithm(configuration);
      ASSERT_TRUE(algorithm.ok()) << algorithm.status();
      check(*algorithm->mix);
    }
  }

  Values Draw(size_t length, double scale = 1) {
    Values values(length);
    for (float& value : values) value = static_cast<float>(scale * random_.Normal());
    return values;
  }

  Random random_{2024};
};

MixNorms Respond(const MixRule& rule, Values& own, const Values& snapshot, Values& reply) {
  reply.assign(own.size(), std::numeric_limits<float>::quiet_NaN());
  return rule.Respond(absl::MakeSpan(own),
                      rule.request_has_payload() ? absl::Span<const float>(snapshot)
                                                 : absl::Span<const float>(),
                      absl::MakeSpan(reply));
}

double Commit(const MixRule& rule, Values& own, const Values& snapshot, const Values& reply) {
  return rule.Commit(absl::MakeSpan(own), snapshot, reply);
}

double SquaredDistance(const Values& a, const Values& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return sum;
}

// Both sums may be off by the rounding of a few operations on numbers of this size.
void ExpectSumsEqual(const Values& a, const Values& b, const std::vector<double>& sums) {
  for (size_t i = 0; i < a.size(); ++i) {
    const double size = std::abs(a[i]) + std::abs(b[i]) + std::abs(sums[i]) + 1;
    EXPECT_NEAR(static_cast<double>(a[i]) + b[i], sums[i],
                8 * std::numeric_limits<float>::epsilon() * size)
        << "element " << i << " of " << a.size();
  }
}

TEST_P(AlgorithmConformanceTest, ARuleThatConservesTheSumConservesItInEveryElement) {
  ForEveryRule([&](const MixRule& rule) {
    if (!rule.conserves_sum()) return;
    for (const size_t length : kLengths) {
      for (const double scale : {1e-3, 1.0, 1e3}) {
        Values a = Draw(length, scale);
        Values b = Draw(length, scale);
        std::vector<double> sums(length);
        for (size_t i = 0; i < length; ++i) sums[i] = static_cast<double>(a[i]) + b[i];
        const Values snapshot = a;
        Values reply;
        Respond(rule, b, snapshot, reply);
        Commit(rule, a, snapshot, reply);
        ExpectSumsEqual(a, b, sums);
      }
    }
  });
}

TEST_P(AlgorithmConformanceTest, LocalStepsOfEitherSideMeanwhileDoNotBreakTheConservation) {
  ForEveryRule([&](const MixRule& rule) {
    if (!rule.conserves_sum()) return;
    Values a = Draw(1041);
    Values b = Draw(1041);
    std::vector<double> sums(a.size());
    for (size_t i = 0; i < a.size(); ++i) sums[i] = static_cast<double>(a[i]) + b[i];
    const Values snapshot = a;
    auto step = [&](Values& own) {
      const Values move = Draw(own.size(), 3);
      for (size_t i = 0; i < own.size(); ++i) {
        const float before = own[i];
        own[i] += move[i];
        sums[i] += static_cast<double>(own[i]) - before;
      }
    };
    step(a);
    step(b);
    Values reply;
    Respond(rule, b, snapshot, reply);
    step(a);
    step(b);
    Commit(rule, a, snapshot, reply);
    ExpectSumsEqual(a, b, sums);
  });
}

TEST_P(AlgorithmConformanceTest, AgreementIsAFixedPoint) {
  ForEveryRule([&](const MixRule& rule) {
    for (const size_t length : kLengths) {
      const Values agreed = Draw(length);
      Values a = agreed;
      Values b = agreed;
      Values reply;
      const MixNorms norms = Respond(rule, b, agreed, reply);
      EXPECT_EQ(norms.squared_distance, 0);
      EXPECT_EQ(norms.squared_delta, 0);
      EXPECT_EQ(Commit(rule, a, agreed, reply), 0);
      EXPECT_EQ(std::memcmp(a.data(), agreed.data(), length * sizeof(float)), 0);
      EXPECT_EQ(std::memcmp(b.data(), agreed.data(), length * sizeof(float)), 0);
    }
  });
}

TEST_P(AlgorithmConformanceTest, NeitherSideMovesAwayFromTheOther) {
  ForEveryRule([&](const MixRule& rule) {
    Values a = Draw(1000);
    Values b = Draw(1000);
    const double before = SquaredDistance(a, b);
    const Values snapshot = a;
    Values reply;
    Respond(rule, b, snapshot, reply);
    Commit(rule, a, snapshot, reply);
    EXPECT_LT(SquaredDistance(a, b), before);
  });
}

TEST_P(AlgorithmConformanceTest, EveryNumberOfTheReplyIsWrittenAndFinite) {
  ForEveryRule([&](const MixRule& rule) {
    for (const size_t length : kLengths) {
      for (const double scale : {0.0, 1e-30, 1.0, 1e15}) {
        Values b = Draw(length, scale);
        Values reply;
        Respond(rule, b, Draw(length, scale), reply);
        for (const float value : reply) ASSERT_TRUE(std::isfinite(value)) << scale;
        for (const float value : b) ASSERT_TRUE(std::isfinite(value)) << scale;
      }
    }
  });
}

TEST_P(AlgorithmConformanceTest, TheNormsAreThoseOfWhatHappened) {
  ForEveryRule([&](const MixRule& rule) {
    for (const size_t length : kLengths) {
      Values a = Draw(length);
      Values b = Draw(length);
      const Values snapshot = a;
      const Values b_before = b;
      const double distance = SquaredDistance(snapshot, b_before);
      Values reply;
      const MixNorms norms = Respond(rule, b, snapshot, reply);
      if (rule.request_has_payload()) {
        EXPECT_NEAR(norms.squared_distance, distance, 1e-4 * distance);
      }
      // Of the rounded change nothing is left where it is smaller than the last digit.
      EXPECT_NEAR(norms.squared_delta, SquaredDistance(b, b_before),
                  1e-3 * norms.squared_delta + 1e-9 * static_cast<double>(length));
      EXPECT_NEAR(Commit(rule, a, snapshot, reply), distance, 1e-4 * distance);
    }
  });
}

TEST_P(AlgorithmConformanceTest, WhatTheInitiatorDidMeanwhileIsKeptInFull) {
  ForEveryRule([&](const MixRule& rule) {
    const Values snapshot = Draw(1000);
    const Values steps = Draw(1000, 5);
    Values b = Draw(1000);
    Values reply;
    Respond(rule, b, snapshot, reply);
    Values still = snapshot;
    Commit(rule, still, snapshot, reply);
    Values moved(snapshot.size());
    for (size_t i = 0; i < moved.size(); ++i) moved[i] = snapshot[i] + steps[i];
    Commit(rule, moved, snapshot, reply);
    for (size_t i = 0; i < moved.size(); ++i) {
      EXPECT_NEAR(moved[i], still[i] + steps[i], 1e-5 * (1 + std::abs(moved[i])));
    }
  });
}

// The overlap trap: averaging with what has moved on since the snapshot, instead of adding the
// difference, makes the swarm learn at half its learning rate.
TEST_P(AlgorithmConformanceTest, TheSwarmLearnsAtTheFullLearningRate) {
  constexpr size_t kPeers = 4;
  constexpr int kSteps = 32;
  constexpr int kRuns = 400;
  constexpr float kRate = 0.1f;
  v1::AlgorithmConfig config;
  config.set_name(GetParam());
  const absl::StatusOr<Algorithm> algorithm = MakeAlgorithm(config);
  ASSERT_TRUE(algorithm.ok());
  const MixRule& rule = *algorithm->mix;
  auto mean = [](const std::vector<Values>& peers) {
    double sum = 0;
    for (const Values& values : peers) sum += values[0];
    return sum / kPeers;
  };
  double moved = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<Values> peers;
    for (size_t i = 0; i < kPeers; ++i) peers.push_back(Draw(1));
    const double before = mean(peers);
    // Every peer's gradient is 1 at every step.
    auto step = [&] {
      for (Values& values : peers) values[0] -= kRate;
    };
    for (int t = 0; t < kSteps; t += 2) {
      const size_t initiator = random_.UniformInt(kPeers);
      const size_t responder = (initiator + 1 + random_.UniformInt(kPeers - 1)) % kPeers;
      const Values snapshot = peers[initiator];
      Values reply;
      // Rules that do not conserve the sum do so in expectation over who asks whom, provided that
      // both look at the same moment.
      if (!rule.conserves_sum()) Respond(rule, peers[responder], snapshot, reply);
      step();
      if (rule.conserves_sum()) Respond(rule, peers[responder], snapshot, reply);
      step();
      Commit(rule, peers[initiator], snapshot, reply);
    }
    moved += before - mean(peers);
  }
  const double rate = moved / (kRuns * kSteps);
  EXPECT_NEAR(rate, kRate, (rule.conserves_sum() ? 1e-4 : 0.04) * kRate);
}

INSTANTIATE_TEST_SUITE_P(Registry, AlgorithmConformanceTest,
                         ::testing::ValuesIn(ExchangingAlgorithms()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace starling
