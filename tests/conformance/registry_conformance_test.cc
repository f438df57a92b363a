// What the table of algorithms itself must hold to. A new row is tested here by itself.

#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "peer/algorithms/registry.h"
#include "tests/conformance/registry_builds.h"

namespace starling {
namespace {

class RegistryConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  const AlgorithmRow& row_ = *FindAlgorithm(GetParam());
};

// One line for people, as `starling algorithms` and docs/algorithms.md show it.
void ExpectOneLine(absl::string_view text, absl::string_view what) {
  ASSERT_FALSE(text.empty()) << what;
  EXPECT_NE(text.back(), '.') << what << ": " << text;
  EXPECT_EQ(text.find('\n'), absl::string_view::npos) << what;
  EXPECT_EQ(text.find('|'), absl::string_view::npos) << what << " would break a table";
  EXPECT_FALSE(absl::StrContains(text, "  ")) << what << ": " << text;
}

TEST_P(RegistryConformanceTest, ItSaysWhatItIsAndWhereItComesFrom) {
  ExpectOneLine(row_.summary, "summary");
  const bool baseline = row_.name == "none" || row_.name == "allreduce_sgd";
  EXPECT_EQ(row_.paper.empty(), baseline);
  if (baseline) {
    EXPECT_TRUE(row_.arxiv.empty());
    return;
  }
  const size_t dot = row_.arxiv.find('.');
  ASSERT_EQ(dot, 4) << row_.arxiv;
  EXPECT_EQ(row_.arxiv.find_first_not_of("0123456789", dot + 1), absl::string_view::npos);
  EXPECT_GE(row_.arxiv.size(), 9);
  // Author and year.
  EXPECT_EQ(row_.paper.substr(row_.paper.size() - 4).find_first_not_of("0123456789"),
            absl::string_view::npos)
      << row_.paper;
}

TEST_P(RegistryConformanceTest, ItsNameIsItsOwnAndCanBeTyped) {
  int same = 0;
  for (const AlgorithmRow& row : AlgorithmRegistry()) same += row.name == row_.name;
  EXPECT_EQ(same, 1);
  for (const char letter : row_.name) {
    EXPECT_TRUE(std::islower(letter) || std::isdigit(letter) || letter == '_') << row_.name;
  }
}

TEST_P(RegistryConformanceTest, WhatItDoesNotGuaranteeItExplains) {
  const AlgorithmGuarantees& guarantees = row_.guarantees;
  const bool usual = (guarantees.sum == AlgorithmGuarantees::Sum::kConserved ||
                      guarantees.sum == AlgorithmGuarantees::Sum::kWeighted) &&
                     guarantees.agreement_is_fixed && guarantees.contracts &&
                     guarantees.alone_is_local;
  if (!usual) ExpectOneLine(guarantees.because, "because");
}

TEST_P(RegistryConformanceTest, EveryOptionIsExplainedAndItsDefaultLiesInItsRange) {
  std::set<std::string> names;
  for (const AlgorithmOptionSpec& option : row_.options) {
    EXPECT_TRUE(names.emplace(option.name).second) << option.name << " is there twice";
    ExpectOneLine(option.help, option.name);
    EXPECT_LT(option.minimum, option.maximum) << option.name;
    EXPECT_GE(option.default_value, option.minimum) << option.name;
    EXPECT_LE(option.default_value, option.maximum) << option.name;
    EXPECT_TRUE(option.minimum_allowed || option.default_value > option.minimum) << option.name;
  }
}

TEST_P(RegistryConformanceTest, BothEndsOfEveryRangeBuildOrAreRefusedByName) {
  for (const size_t workers : {0, 1, 2, 7, 8}) {
    for (const Build& build : BuildsOf(GetParam(), {.workers = workers})) {
      SCOPED_TRACE(build.config.ShortDebugString());
      if (build.algorithm.ok()) continue;
      const absl::Status& status = build.algorithm.status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), GetParam())) << status;
      EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
      EXPECT_FALSE(build.option.empty() && workers != 1) << "its defaults do not work: " << status;
      // Known before the run, or a matter of how many workers there are; that then is named.
      EXPECT_TRUE(absl::StrContains(status.message(), build.option) ||
                  absl::StrContains(status.message(), std::to_string(workers)))
          << status;
    }
  }
}

TEST_P(RegistryConformanceTest, WhatItIsMadeOfFitsTogether) {
  for (const Build& build : BuildsOf(GetParam())) {
    SCOPED_TRACE(build.config.ShortDebugString());
    if (!build.algorithm.ok()) continue;
    const Algorithm& algorithm = *build.algorithm;
    EXPECT_EQ(algorithm.name, GetParam());
    if (algorithm.mix != nullptr) {
      EXPECT_NE(algorithm.schedule, nullptr);
      EXPECT_NE(algorithm.selector, nullptr);
    }
    EXPECT_GE(algorithm.segments, 1);
    ASSERT_LE(algorithm.rounds.size(), 2);
    for (size_t i = 0; i < algorithm.rounds.size(); ++i) {
      const RoundSpec& spec = algorithm.rounds[i];
      EXPECT_GE(spec.period, 1);
      EXPECT_GE(spec.fragments, 1);
      ASSERT_NE(spec.topology, nullptr);
      const bool gradient = spec.payload == RoundSpec::Payload::kGradient;
      EXPECT_EQ(spec.outer == nullptr, gradient);
      EXPECT_FALSE(gradient && i > 0) << "gradients come first";
      EXPECT_FALSE(gradient && (spec.delay > 0 || spec.fragments > 1 || spec.moves_mass));
      // Everybody's mean is formed by the members' equal weights.
      EXPECT_FALSE(spec.moves_mass && (spec.topology->everyone() || spec.global_every > 0));
    }
    for (const double strength : algorithm.tethers) {
      EXPECT_GE(strength, 0);
      EXPECT_LE(strength, 1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, RegistryConformanceTest,
                         ::testing::ValuesIn(RowNames([](const Algorithm&) { return true; })),
                         [](const auto& info) { return info.param; });

TEST(RegistryConformanceTest, EveryRowIsTested) {
  EXPECT_EQ(RowNames([](const Algorithm&) { return true; }).size(), AlgorithmRegistry().size());
}

}  // namespace
}  // namespace starling
