#include "peer/training/tethers.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

using Values = std::vector<float>;

TEST(TethersTest, WithoutAnAnchorNothingIsPulled) {
  const Tethers tethers({0.5, 0.25});
  Values x = {1, 2, 3};
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{1, 2, 3}));
}

TEST(TethersTest, EveryPullGoesItsShareOfTheWayToTheAnchor) {
  Tethers tethers({0.5});
  Values x = {0, 4};
  tethers.SetAnchor(0, 0, {8, 8}, x);
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{4, 6}));
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{6, 7}));
}

TEST(TethersTest, AnAnchorComesShardByShardAndTheRestHoldsNothing) {
  Tethers tethers({0.5});
  Values x = {0, 0, 10, 10};
  tethers.SetAnchor(0, 2, {20, 20}, x);
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{0, 0, 15, 15}));
  // The next shard of the same anchor leaves the first where it is.
  tethers.SetAnchor(0, 0, {2, 2}, x);
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{1, 1, 17.5f, 17.5f}));
}

TEST(TethersTest, TethersPullOneAfterTheOtherEachByItsOwnStrength) {
  Tethers tethers({0.5, 0.25});
  Values x = {0};
  tethers.SetAnchor(0, 0, {8}, x);
  tethers.SetAnchor(1, 0, {0}, x);
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{3}));  // to 4, and a quarter back
}

TEST(TethersTest, DroppedAnchorsPullNoMoreAndAreSetAfresh) {
  Tethers tethers({0.5, 0.5});
  Values x = {0, 0};
  tethers.SetAnchor(0, 0, {8, 8}, x);
  tethers.SetAnchor(1, 0, {8, 8}, x);
  tethers.DropAnchors();
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{0, 0}));
  x = {4, 4};
  tethers.SetAnchor(0, 0, {8}, x);  // what was there before is forgotten
  tethers.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{6, 4}));
}

TEST(TethersTest, AnAnchorForATetherThatIsNotThereIsIgnored) {
  Tethers none({});
  Values x = {1};
  none.SetAnchor(0, 0, {8}, x);
  none.Pull(absl::MakeSpan(x));
  EXPECT_EQ(x, (Values{1}));
}

}  // namespace
}  // namespace starling
