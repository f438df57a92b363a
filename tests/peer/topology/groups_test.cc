#include "peer/topology/groups.h"

#include <map>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/mixing_matrix.h"
#include "peer/topology/random_pairs.h"
#include "tests/peer/topology/chi_square.h"

namespace starling {
namespace {

using Ids = std::vector<size_t>;
using In = std::vector<Inbound>;

TEST(RandomGroupsTest, EveryDivisionIsEquallyLikely) {
  const auto topology = MakeRandomGroups(3);
  std::map<Ids, double> companions_of_0;
  for (uint64_t round = 0; round < 20000; ++round) {
    const Neighbours neighbours = topology->Of({6, 0, round, 0, 1});
    ASSERT_EQ(neighbours.in.size(), 2);
    ASSERT_DOUBLE_EQ(neighbours.in[0].weight, 1.0 / 3);
    companions_of_0[neighbours.out] += 1;
  }
  EXPECT_EQ(companions_of_0.size(), 10);
  EXPECT_LT(ChiSquareUniform(companions_of_0, 10), ChiSquareLimit(10));
}

TEST(RandomGroupsTest, TheLastGroupMayBeShort) {
  const auto topology = MakeRandomGroups(3);
  for (uint64_t round = 0; round < 100; ++round) {
    std::map<size_t, size_t> members_by_company;
    for (size_t i = 0; i < 8; ++i) {
      const Neighbours neighbours = topology->Of({8, i, round, 0, 1});
      members_by_company[neighbours.in.size()] += 1;
      for (const Inbound& inbound : neighbours.in) {
        EXPECT_DOUBLE_EQ(inbound.weight, 1.0 / (neighbours.in.size() + 1));
      }
    }
    EXPECT_EQ(members_by_company, (std::map<size_t, size_t>{{1, 2}, {2, 6}}));
  }
}

TEST(GroupsTest, ConsecutiveMembersShareAndTheLastGroupMayBeShort) {
  const auto topology = MakeGroups(3);
  EXPECT_EQ(topology->Of({8, 4, 9, 0, 0}).in, (In{{3, 1.0 / 3}, {5, 1.0 / 3}}));
  EXPECT_EQ(topology->Of({8, 6, 9, 0, 0}).in, (In{{7, 0.5}}));
  EXPECT_EQ(topology->Of({7, 6, 9, 0, 0}), Neighbours{});
}

TEST(BetweenGroupsTest, EqualRanksMixByTheBase) {
  // Groups {0,1,2} {3,4,5} {6,7,8} {9,10}: rank 1 is in four of them, rank 2 in three.
  const auto topology = MakeBetweenGroups(3, MakeComplete());
  EXPECT_EQ(topology->name(), "complete_between_groups");
  EXPECT_EQ(topology->Of({11, 4, 0, 0, 0}).in, (In{{1, 0.25}, {7, 0.25}, {10, 0.25}}));
  EXPECT_EQ(topology->Of({11, 5, 0, 0, 0}).in, (In{{2, 1.0 / 3}, {8, 1.0 / 3}}));
  const auto exponential = MakeBetweenGroups(3, MakeOnePeerExponential());
  EXPECT_EQ(exponential->Of({11, 10, 1, 0, 0}).in, (In{{4, 0.5}}));
  EXPECT_EQ(exponential->Of({11, 10, 1, 0, 0}).out, (Ids{4}));
}

TEST(BetweenGroupsTest, RanksMeetTheSameGroupsInARound) {
  const auto topology = MakeBetweenGroups(4, MakeRandomMatching());
  for (uint64_t round = 0; round < 50; ++round) {
    const size_t partner = topology->Of({32, 8, round, 0, 5}).in[0].from;
    for (size_t rank = 1; rank < 4; ++rank) {
      EXPECT_EQ(topology->Of({32, 8 + rank, round, 0, 5}).in[0].from, partner + rank);
    }
  }
}

TEST(BetweenGroupsTest, TheBaseHasItsSayOnTheNumberOfGroups) {
  const auto topology = MakeBetweenGroups(3, MakeHypercube());
  EXPECT_TRUE(topology->Supports(12).ok());
  EXPECT_TRUE(topology->Supports(2).ok()) << "one group, with nobody beyond it";
  EXPECT_EQ(topology->Supports(18).message(),
            "hypercube_between_groups: 18 members in groups of 3 make 6 groups, and hypercube "
            "needs 2^r members, here 6: use dissemination, rotated_hypercube or random_matching, "
            "or start 2 more");
  EXPECT_FALSE(topology->Supports(13).ok()) << "rank 0 is in five groups";
  EXPECT_FALSE(topology->Supports(9).ok()) << "all ranks are in three";
}

TEST(AlternatingGroupsTest, EvenRoundsAreWithinAndOddOnesBetween) {
  const auto topology = MakeAlternatingGroups(2, MakeOnePeerExponential());
  EXPECT_EQ(topology->name(), "one_peer_exponential_alternating_groups");
  const auto within = MakeGroups(2);
  const auto between = MakeBetweenGroups(2, MakeOnePeerExponential());
  for (uint64_t k = 0; k < 8; ++k) {
    for (size_t i = 0; i < 9; ++i) {
      EXPECT_EQ(topology->Of({9, i, 2 * k, 0, 0}), within->Of({9, i, k, 0, 0}));
      EXPECT_EQ(topology->Of({9, i, 2 * k + 1, 0, 0}), between->Of({9, i, k, 0, 0}));
    }
  }
}

TEST(AlternatingGroupsTest, IsExactAfterBothHaveHadTheirRounds) {
  const auto topology = MakeAlternatingGroups(3, MakeHypercube());
  EXPECT_EQ(topology->exact_after(24), 6);
  EXPECT_LT(MixingMatrix::Of(*topology, {24, 0, 0, 0, 0}, 6).DistanceToMean(), 1e-15);
  EXPECT_LT(MixingMatrix::Of(*topology, {24, 0, 7, 0, 0}, 6).DistanceToMean(), 1e-15);
  EXPECT_EQ(topology->exact_after(18), 0);
  EXPECT_EQ(topology->exact_after(25), 0) << "unequal groups weigh alike and members do not";
}

TEST(AlternatingGroupsTest, OneGroupOfAllIsTheCompleteGraph) {
  const auto topology = MakeAlternatingGroups(8, MakeComplete());
  EXPECT_EQ(topology->Of({8, 3, 0, 0, 0}), MakeComplete()->Of({8, 3, 0, 0, 0}));
  EXPECT_EQ(topology->Of({8, 3, 1, 0, 0}), Neighbours{});
}

}  // namespace
}  // namespace starling
