#include "peer/topology/mixing_matrix.h"

#include "gtest/gtest.h"
#include "peer/topology/everyone.h"
#include "peer/topology/ring.h"

namespace starling {
namespace {

// Everybody takes a quarter of its predecessor's; in odd rounds member 0 pushes to all and receives
// nothing, which leaves no column but its own at 1.
class Lopsided : public Topology {
 public:
  absl::string_view name() const override { return "lopsided"; }
  Neighbours Of(const RoundPlace& place) const override {
    const size_t n = place.members;
    if (place.round % 2 == 0) {
      return {{{(place.self + n - 1) % n, 0.25}}, {(place.self + 1) % n}};
    }
    Neighbours neighbours;
    if (place.self > 0) neighbours.in = {{0, 0.25}};
    for (size_t j = 1; place.self == 0 && j < n; ++j) neighbours.out.push_back(j);
    return neighbours;
  }
  bool symmetric() const override { return false; }
};

// Weights that add up to more than 1.
class Greedy : public Topology {
 public:
  absl::string_view name() const override { return "greedy"; }
  Neighbours Of(const RoundPlace& place) const override {
    return {{{1 - place.self, 1.25}}, {1 - place.self}};
  }
  bool symmetric() const override { return true; }
};

TEST(MixingMatrixTest, NobodyMixesAtFirst) {
  const MixingMatrix identity(3);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) EXPECT_EQ(identity.at(i, j), i == j ? 1 : 0);
  }
  EXPECT_TRUE(identity.DoublyStochastic());
  EXPECT_TRUE(identity.Symmetric());
  EXPECT_DOUBLE_EQ(identity.DistanceToMean(), 2.0 / 3);
  EXPECT_EQ(MixingMatrix::Of(*MakeRing(), {3, 0, 0, 0, 0}, 0), identity);
}

TEST(MixingMatrixTest, ARowHoldsTheWeightsOfItsMembersMix) {
  const MixingMatrix matrix = MixingMatrix::Of(Lopsided(), {3, 0, 0, 0, 0});
  EXPECT_EQ(matrix.at(1, 1), 0.75);
  EXPECT_EQ(matrix.at(1, 0), 0.25);
  EXPECT_EQ(matrix.at(0, 1), 0);
  EXPECT_TRUE(matrix.DoublyStochastic());
  EXPECT_FALSE(matrix.Symmetric());
}

TEST(MixingMatrixTest, APushWithoutReturnIsOnlyRowStochastic) {
  const MixingMatrix matrix = MixingMatrix::Of(Lopsided(), {3, 0, 1, 0, 0});
  EXPECT_TRUE(matrix.RowStochastic());
  EXPECT_FALSE(matrix.ColumnStochastic());
  EXPECT_FALSE(matrix.DoublyStochastic());
}

TEST(MixingMatrixTest, WeightsBeyondOneAreNotStochastic) {
  const MixingMatrix matrix = MixingMatrix::Of(Greedy(), {2, 0, 0, 0, 0});
  EXPECT_FALSE(matrix.RowStochastic());
  EXPECT_FALSE(matrix.ColumnStochastic());
}

TEST(MixingMatrixTest, LaterRoundsMultiplyFromTheLeft) {
  // Round 0 brings member 2's values to 0, round 1 takes them on to 1. The other way round 1 would
  // have nothing of 2.
  const MixingMatrix product = MixingMatrix::Of(Lopsided(), {3, 0, 0, 0, 0}, 2);
  EXPECT_DOUBLE_EQ(product.at(1, 2), 0.25 * 0.25);
  EXPECT_DOUBLE_EQ(product.at(1, 1), 0.75 * 0.75);
  EXPECT_DOUBLE_EQ(product.at(1, 0), 0.75 * 0.25 + 0.25 * 0.75);
}

TEST(MixingMatrixTest, TheMeanIsAtDistanceZero) {
  EXPECT_LT(MixingMatrix::Of(*MakeComplete(), {9, 0, 0, 0, 0}).DistanceToMean(), 1e-15);
}

}  // namespace
}  // namespace starling
