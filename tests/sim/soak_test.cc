// A thousand hours of swarms with every fault there is, as
// `simulate --algorithm=all --seeds=1-250 --soak --hours=4` lives them, dealt by Bazel to its shards.
// docs/simulation.md tells what an hour contains.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/sim/sweep.h"

namespace starling {
namespace {

constexpr uint64_t kSeeds = 250;
constexpr absl::Duration kLife = absl::Hours(4);

void ExpectNoViolation(const SweepCase& soak) {
  const SweepResult result = RunSweepCase(soak);
  for (const std::string& violation : result.violations) {
    ADD_FAILURE() << violation << "\nagain: bazel run //tests/sim:simulate -- " << CommandFor(soak)
                  << " --log\n(" << result.drawn << ")";
  }
  EXPECT_GE(result.elapsed, soak.soak);
  EXPECT_GT(result.figures.faults(), 10 * absl::ToDoubleHours(soak.soak));
  // Seed 113 makes the fewest, 435 an hour: all-reduce, which waits for everybody, half of the time amid faults.
  EXPECT_GT(result.figures.steps, 300 * absl::ToDoubleHours(soak.soak));
}

class SoakTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SoakTest, HoursOfFaultsBreakNothing) {
  ExpectNoViolation(SoakCasesFor(AllAlgorithms(), {GetParam()}, kLife).front());
}

INSTANTIATE_TEST_SUITE_P(Seeds, SoakTest, ::testing::Range<uint64_t>(1, kSeeds + 1),
                         [](const auto& info) { return absl::StrCat(info.param); });

TEST(SoakCaseTest, OneSeedIsOneCourse) {
  for (const uint64_t seed : {1, 2, 3}) {
    SweepCase soak = SoakCasesFor(AllAlgorithms(), {seed}, absl::Hours(1)).front();
    soak.twice = true;
    ExpectNoViolation(soak);
  }
}

TEST(SoakCaseTest, TheCommandRepeatsTheCase) {
  const SweepCase soak = SoakCasesFor({"elastic_gossip", "sgp"}, {7}, absl::Hours(4)).front();
  EXPECT_EQ(CommandFor(soak), "--algorithm=sgp --seeds=7 --soak --hours=4");
}

}  // namespace
}  // namespace starling
