#include "peer/gossip/peer_selector.h"

#include <map>

#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(PeerSelectorTest, NobodyIsChosenFromNobody) {
  Random random(1);
  EXPECT_FALSE(MakeUniformSelector()->Select({}, random).has_value());
}

TEST(PeerSelectorTest, TheOnlyCandidateIsChosen) {
  Random random(1);
  EXPECT_EQ(*MakeUniformSelector()->Select({PeerId(5)}, random), PeerId(5));
}

TEST(PeerSelectorTest, EveryCandidateIsChosenEquallyOftenAndNobodyElse) {
  const std::vector<PeerId> candidates = {PeerId(2), PeerId(3), PeerId(5), PeerId(8), PeerId(9)};
  const auto selector = MakeUniformSelector();
  Random random(11);
  std::map<PeerId, int> chosen;
  for (int i = 0; i < 50000; ++i) ++chosen[*selector->Select(candidates, random)];
  ASSERT_EQ(chosen.size(), candidates.size());
  for (const PeerId candidate : candidates) {
    // 10000 expected, standard deviation 89.
    EXPECT_NEAR(chosen[candidate], 10000, 450) << candidate.ToString();
  }
}

TEST(PeerSelectorTest, TheSeedDecides) {
  const std::vector<PeerId> candidates = {PeerId(2), PeerId(3), PeerId(5)};
  const auto selector = MakeUniformSelector();
  Random one(4);
  Random same(4);
  Random other(5);
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    const PeerId choice = *selector->Select(candidates, one);
    EXPECT_EQ(choice, *selector->Select(candidates, same));
    different += choice != *selector->Select(candidates, other) ? 1 : 0;
  }
  EXPECT_GT(different, 0);
}

}  // namespace
}  // namespace starling
