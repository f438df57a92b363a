#include "gtest/gtest.h"
#include "peer/algorithms/registry.h"

namespace starling {
namespace {

v1::AlgorithmConfig DecentDp(double group_size) {
  v1::AlgorithmConfig config;
  config.set_name("decent_dp");
  v1::AlgorithmOption* option = config.add_options();
  option->set_name("group_size");
  option->set_value(group_size);
  return config;
}

TEST(DecentDpTest, GroupsMeetInsideAndBetweenEachOtherByTurns) {
  const auto algorithm = MakeAlgorithm(DecentDp(2), {4, 1});
  ASSERT_TRUE(algorithm.ok()) << algorithm.status();
  const Topology& topology = *algorithm->rounds.front().topology;
  for (size_t self = 0; self < 4; ++self) {
    const Neighbours within = topology.Of({4, self, 0, 0, 1});
    ASSERT_EQ(within.in.size(), 1);
    EXPECT_EQ(within.in.front().from, self ^ 1);
    const Neighbours between = topology.Of({4, self, 1, 0, 1});
    ASSERT_EQ(between.in.size(), 1);
    EXPECT_EQ(between.in.front().from, self ^ 2);
  }
}

TEST(DecentDpTest, ParametersTravelWhileTheNextGradientIsComputed) {
  const auto algorithm = MakeAlgorithm(DecentDp(2), {4, 1});
  ASSERT_TRUE(algorithm.ok());
  EXPECT_EQ(algorithm->rounds.front().delay, 1);
  EXPECT_EQ(algorithm->rounds.front().period, 1);
}

}  // namespace
}  // namespace starling
