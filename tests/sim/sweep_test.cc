// Every algorithm, 200 seeds: what `simulate --algorithm=all --seeds=1-200` does, in blocks that Bazel
// deals to its shards.

#include "tests/sim/sweep.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr uint64_t kSeeds = 200;
constexpr uint64_t kBlock = 50;

// Algorithm and first seed.
class SweepTest : public ::testing::TestWithParam<std::tuple<std::string, uint64_t>> {};

TEST_P(SweepTest, AHardLifeAndARecoveryBreakNothing) {
  const auto& [algorithm, first] = GetParam();
  std::vector<uint64_t> seeds;
  for (uint64_t seed = first; seed < first + kBlock; ++seed) seeds.push_back(seed);
  for (const SweepCase& sweep_case : CasesFor({algorithm}, seeds)) {
    const SweepResult result = RunSweepCase(sweep_case);
    for (const std::string& violation : result.violations) {
      ADD_FAILURE() << violation << "\nagain: bazel run //tests/sim:simulate -- "
                    << CommandFor(sweep_case) << " --log\n(" << result.drawn << ")";
    }
    EXPECT_GT(result.events, 1000u);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Algorithms, SweepTest,
    ::testing::Combine(::testing::ValuesIn(AllAlgorithms()),
                       ::testing::Range<uint64_t>(1, kSeeds + 1, kBlock)),
    [](const auto& info) {
      const std::string& algorithm = std::get<0>(info.param);
      return absl::StrCat(algorithm.substr(0, algorithm.find(':')), "_from_", std::get<1>(info.param));
    });

// Each of these once showed a defect, of the daemon or of what judges it; docs/simulation.md tells which.
TEST(SweepSeedsTest, SeedsThatFoundDefectsAreKept) {
  const std::vector<SweepCase> kept = {
      {"local_sgd", 6},  {"slowmo:tau=12", 6},  {"allreduce_sgd:resync=12", 6},
      {"gasloc", 3},     {"noloco:tau=12", 3},  {"dpsgd", 3},
      {"osgp", 8},       {"gasloc", 8},         {"sgp", 78},
      {"gossip_pga", 55}, {"streaming_diloco:tau=12", 10}, {"gossipgrad", 62},
      {"dpsgd", 174},    {"eamsgd", 3711},      {"easgd", 3482},
      {"sgp", 4912},     {"gossip_pga", 6767},  {"gossip_aga", 6943},
      {"decent_dp", 1850}};
  for (const SweepCase& each : kept) {
    for (const std::string& violation : RunSweepCase(each).violations) {
      ADD_FAILURE() << violation << "\nagain: bazel run //tests/sim:simulate -- "
                    << CommandFor(each) << " --log";
    }
  }
}

TEST(SweepSeedsTest, RangesAndListsAreRead) {
  EXPECT_EQ(*ParseSeeds("7"), (std::vector<uint64_t>{7}));
  EXPECT_EQ(*ParseSeeds("1-3,9"), (std::vector<uint64_t>{1, 2, 3, 9}));
  for (const char* bad : {"", "x", "3-1", "1-", "-1", "1-3,", "0-18446744073709551615"}) {
    EXPECT_FALSE(ParseSeeds(bad).ok()) << bad;
  }
}

TEST(SweepRunTest, CasesRunOnSeveralThreadsAsTheyDoAlone) {
  std::vector<SweepCase> cases;
  for (const uint64_t seed : {1, 2, 3, 4}) cases.push_back({"elastic_gossip", seed});
  std::map<uint64_t, uint64_t> traces;
  RunSweep(cases, 2, [&](const SweepCase& done, const SweepResult& result) {
    traces[done.seed] = result.trace;
  });
  ASSERT_EQ(traces.size(), cases.size());
  for (const SweepCase& each : cases) EXPECT_EQ(RunSweepCase(each).trace, traces[each.seed]);
}

TEST(SweepRunTest, AnUnknownAlgorithmIsAViolation) {
  const SweepResult result = RunSweepCase({"elastic_gosip", 1});
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_NE(result.violations[0].find("elastic_gossip"), std::string::npos);
}

}  // namespace
}  // namespace starling
