// What the mix rule of every algorithm of the registry that exchanges must hold to, by what the rule
// declares and whatever it computes. A new row of the registry is tested here by itself.

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"
#include "tests/conformance/registry_builds.h"

namespace starling {
namespace {

using Values = std::vector<float>;

constexpr double kStaleness[] = {0, 0.3, 1};

class AlgorithmConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr size_t kLengths[] = {1, 2, 15, 16, 17, 1000, 1041};

  // Calls `check(rule)` for every configuration of the algorithm.
  template <typename Check>
  void ForEveryRule(Check check) {
    for (const Build& build : BuildsOf(GetParam())) {
      SCOPED_TRACE(build.config.ShortDebugString());
      ASSERT_TRUE(build.algorithm.ok()) << build.algorithm.status();
      check(*build.algorithm->mix);
    }
  }

  Values Draw(size_t length, double scale = 1) {
    Values values(length);
    for (float& value : values) value = static_cast<float>(scale * random_.Normal());
    return values;
  }

  Random random_{2024};
};

// What travels with the request of an initiator whose mass is 1, to a responder of that mass.
MixTerms TermsOf(const MixRule& rule, double staleness = 0) {
  return {staleness, rule.moves_mass() ? 0.5 : 0, 1};
}

MixNorms Respond(const MixRule& rule, Values& own, const Values& snapshot, Values& reply,
                 MixTerms& terms) {
  reply.assign(rule.reply_has_payload() ? own.size() : 0, std::numeric_limits<float>::quiet_NaN());
  return rule.Respond(absl::MakeSpan(own),
                      rule.request_has_payload() ? absl::Span<const float>(snapshot)
                                                 : absl::Span<const float>(),
                      absl::MakeSpan(reply), terms);
}

double Commit(const MixRule& rule, Values& own, const Values& snapshot, const Values& reply,
              const MixTerms& terms) {
  return rule.Commit(absl::MakeSpan(own), snapshot, reply, terms);
}

// Both halves.
void Exchange(const MixRule& rule, Values& initiator, Values& responder, MixTerms& terms) {
  const Values snapshot = initiator;
  Values reply;
  Respond(rule, responder, snapshot, reply, terms);
  Commit(rule, initiator, snapshot, reply, terms);
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

TEST_P(AlgorithmConformanceTest, TheRuleDeclaresTheSumThatItsRowDeclares) {
  using Sum = AlgorithmGuarantees::Sum;
  const Sum sum = FindAlgorithm(GetParam())->guarantees.sum;
  ForEveryRule([&](const MixRule& rule) {
    EXPECT_EQ(rule.conserves_sum(), sum == Sum::kConserved);
    EXPECT_EQ(rule.moves_mass(), sum == Sum::kWeighted);
    if (!rule.conserves_sum()) return;
    for (const double staleness : kStaleness) {
      EXPECT_EQ(rule.initiator_share(staleness), rule.responder_share(staleness));
    }
  });
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
        MixTerms terms = TermsOf(rule);
        Exchange(rule, a, b, terms);
        ExpectSumsEqual(a, b, sums);
      }
    }
  });
}

TEST_P(AlgorithmConformanceTest, ADeltaRuleMovesTheSumByItsDeclaredDefectInEveryElement) {
  ForEveryRule([&](const MixRule& rule) {
    if (!rule.request_has_payload() || !rule.reply_has_payload()) return;
    for (const double staleness : kStaleness) {
      Values a = Draw(1041);
      Values b = Draw(1041);
      const Values snapshot = a;
      MixTerms terms = TermsOf(rule, staleness);
      Values reply;
      std::vector<double> sums(a.size());
      for (size_t i = 0; i < a.size(); ++i) sums[i] = static_cast<double>(a[i]) + b[i];
      Respond(rule, b, snapshot, reply, terms);
      Commit(rule, a, snapshot, reply, terms);
      const double defect = rule.initiator_share(staleness) - rule.responder_share(staleness);
      for (size_t i = 0; i < a.size(); ++i) sums[i] += defect * reply[i];
      ExpectSumsEqual(a, b, sums);
    }
  });
}

TEST_P(AlgorithmConformanceTest, WhereMassMovesItsSumAndTheWeightedSumStay) {
  ForEveryRule([&](const MixRule& rule) {
    if (!rule.moves_mass()) return;
    for (const double incoming : {1e-3, 0.5, 40.0}) {
      const Values a = Draw(1000);
      Values b = Draw(1000);
      const Values before = b;
      MixTerms terms{0, incoming, 2};
      Values reply;
      Respond(rule, b, a, reply, terms);
      EXPECT_DOUBLE_EQ(terms.own_mass, 2 + incoming);
      for (size_t i = 0; i < b.size(); ++i) {
        const double weighted = 2.0 * before[i] + incoming * a[i];
        EXPECT_NEAR(terms.own_mass * b[i], weighted, 1e-5 * (2 + incoming));
      }
      // The initiator keeps the other half of its mass, at the values that it has.
      Values still = a;
      Commit(rule, still, a, reply, terms);
      EXPECT_EQ(still, a);
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
    MixTerms terms = TermsOf(rule);
    Values reply;
    Respond(rule, b, snapshot, reply, terms);
    step(a);
    step(b);
    Commit(rule, a, snapshot, reply, terms);
    ExpectSumsEqual(a, b, sums);
  });
}

TEST_P(AlgorithmConformanceTest, AgreementIsAFixedPoint) {
  ForEveryRule([&](const MixRule& rule) {
    for (const size_t length : kLengths) {
      for (const double staleness : kStaleness) {
        const Values agreed = Draw(length);
        Values a = agreed;
        Values b = agreed;
        Values reply;
        MixTerms terms = TermsOf(rule, staleness);
        const MixNorms norms = Respond(rule, b, agreed, reply, terms);
        EXPECT_EQ(norms.squared_distance, 0);
        EXPECT_EQ(norms.squared_delta, 0);
        EXPECT_EQ(Commit(rule, a, agreed, reply, terms), 0);
        EXPECT_EQ(std::memcmp(a.data(), agreed.data(), length * sizeof(float)), 0);
        EXPECT_EQ(std::memcmp(b.data(), agreed.data(), length * sizeof(float)), 0);
      }
    }
  });
}

TEST_P(AlgorithmConformanceTest, NeitherSideMovesAwayFromTheOther) {
  ForEveryRule([&](const MixRule& rule) {
    for (const double staleness : kStaleness) {
      Values a = Draw(1000);
      Values b = Draw(1000);
      const double before = SquaredDistance(a, b);
      MixTerms terms = TermsOf(rule, staleness);
      Exchange(rule, a, b, terms);
      EXPECT_LT(SquaredDistance(a, b), before);
    }
  });
}

TEST_P(AlgorithmConformanceTest, EveryNumberOfTheReplyIsWrittenAndFinite) {
  ForEveryRule([&](const MixRule& rule) {
    for (const size_t length : kLengths) {
      for (const double scale : {0.0, 1e-30, 1.0, 1e15}) {
        Values b = Draw(length, scale);
        Values reply;
        MixTerms terms = TermsOf(rule);
        Respond(rule, b, Draw(length, scale), reply, terms);
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
      MixTerms terms = TermsOf(rule, 0.3);
      const MixNorms norms = Respond(rule, b, snapshot, reply, terms);
      if (rule.request_has_payload()) {
        EXPECT_NEAR(norms.squared_distance, distance, 1e-4 * distance);
      }
      // Of the rounded change nothing is left where it is smaller than the last digit.
      EXPECT_NEAR(norms.squared_delta, SquaredDistance(b, b_before),
                  1e-3 * norms.squared_delta + 1e-9 * static_cast<double>(length));
      const double as_initiator = Commit(rule, a, snapshot, reply, terms);
      EXPECT_NEAR(as_initiator, rule.reply_has_payload() ? distance : 0, 1e-4 * distance);
    }
  });
}

TEST_P(AlgorithmConformanceTest, WhatTheInitiatorDidMeanwhileIsKeptInFull) {
  ForEveryRule([&](const MixRule& rule) {
    const Values snapshot = Draw(1000);
    const Values steps = Draw(1000, 5);
    Values b = Draw(1000);
    Values reply;
    MixTerms terms = TermsOf(rule, 0.3);
    Respond(rule, b, snapshot, reply, terms);
    Values still = snapshot;
    Commit(rule, still, snapshot, reply, terms);
    Values moved(snapshot.size());
    for (size_t i = 0; i < moved.size(); ++i) moved[i] = snapshot[i] + steps[i];
    Commit(rule, moved, snapshot, reply, terms);
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
  struct Worker {
    Values x;
    double mass = 1;
  };
  const Algorithm algorithm = *BuildsOf(GetParam()).front().algorithm;
  const MixRule& rule = *algorithm.mix;
  auto mean = [](const std::vector<Worker>& peers) {
    double sum = 0;
    for (const Worker& each : peers) sum += each.mass * each.x[0];
    return sum / kPeers;
  };
  double moved = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<Worker> peers;
    for (size_t i = 0; i < kPeers; ++i) peers.push_back({Draw(1)});
    const double before = mean(peers);
    // Every peer's gradient is 1 at every step.
    auto step = [&] {
      for (Worker& each : peers) each.x[0] -= kRate;
    };
    for (int t = 0; t < kSteps; t += 2) {
      const size_t initiator = random_.UniformInt(kPeers);
      const size_t responder = (initiator + 1 + random_.UniformInt(kPeers - 1)) % kPeers;
      const Values snapshot = peers[initiator].x;
      MixTerms terms;
      Values reply;
      auto respond = [&] {
        if (rule.moves_mass()) terms.incoming_mass = peers[initiator].mass /= 2;
        terms.own_mass = peers[responder].mass;
        Respond(rule, peers[responder].x, snapshot, reply, terms);
        peers[responder].mass = terms.own_mass;
      };
      // Rules that do not conserve the sum do so in expectation over who asks whom, or by weight,
      // provided that both look at the same moment.
      if (!rule.conserves_sum()) respond();
      step();
      if (rule.conserves_sum()) respond();
      step();
      Commit(rule, peers[initiator].x, snapshot, reply, terms);
    }
    moved += before - mean(peers);
  }
  const double rate = moved / (kRuns * kSteps);
  const bool exactly = rule.conserves_sum() || rule.moves_mass();
  EXPECT_NEAR(rate, kRate, (exactly ? 1e-4 : 0.04) * kRate);
}

INSTANTIATE_TEST_SUITE_P(Registry, AlgorithmConformanceTest,
                         ::testing::ValuesIn(RowNames([](const Algorithm& algorithm) {
                           return algorithm.mix != nullptr;
                         })),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace starling
