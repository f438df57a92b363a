#include "peer/rounds/positions.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr absl::Duration kValid = absl::Seconds(2);
const absl::Time kNow = absl::UnixEpoch();

uint64_t Choose(const Positions& positions, uint64_t next, bool behind, absl::Time now = kNow) {
  return positions.Choose(now, next, behind, kValid);
}

TEST(PositionsTest, WhoIsNotBehindGoesOnWhateverOthersDo) {
  Positions positions;
  positions.OnHeard(kNow, PeerId(1), 12, kValid);
  positions.OnHeard(kNow, PeerId(2), 7, kValid);
  EXPECT_EQ(Choose(positions, 10, false), 10);
}

TEST(PositionsTest, WhoIsBehindGoesToTheNearestAndNotToTheOneThatRunsAhead) {
  Positions positions;
  positions.OnHeard(kNow, PeerId(1), 19, kValid);
  positions.OnHeard(kNow, PeerId(2), 12, kValid);
  positions.OnHeard(kNow, PeerId(3), 9, kValid);
  EXPECT_EQ(Choose(positions, 10, true), 12);
  positions.OnHeard(kNow, PeerId(3), 10, kValid);
  EXPECT_EQ(Choose(positions, 10, true), 10);
}

TEST(PositionsTest, WhoIsFarBehindGoesToTheRearOfThoseFarAhead) {
  Positions positions;
  positions.OnHeard(kNow, PeerId(1), 10, kValid);
  positions.OnHeard(kNow, PeerId(2), 5000, kValid);
  positions.OnHeard(kNow, PeerId(3), 5003, kValid);
  EXPECT_EQ(Choose(positions, 10, false), 5000);
  EXPECT_EQ(Choose(positions, 4999, false), 4999);
}

TEST(PositionsTest, NumbersOfLongAgoTellNothing) {
  Positions positions;
  positions.OnHeard(kNow, PeerId(1), 12, kValid);
  const absl::Time later = kNow + 2 * kValid;
  EXPECT_EQ(Choose(positions, 10, true, later), 10);
  positions.OnHeard(later, PeerId(2), 14, kValid);
  EXPECT_EQ(Choose(positions, 10, true, later), 14);
}

TEST(PositionsTest, AMemberThatBeganAnewIsBelievedOnceItsOldNumberIsOld) {
  Positions positions;
  positions.OnHeard(kNow, PeerId(1), 900, kValid);
  positions.OnHeard(kNow, PeerId(1), 3, kValid);
  EXPECT_EQ(Choose(positions, 2, true), 900);
  positions.OnHeard(kNow + 2 * kValid, PeerId(1), 4, kValid);
  EXPECT_EQ(Choose(positions, 2, true, kNow + 2 * kValid), 4);
}

TEST(PositionsTest, WhoIsForgottenIsNotFollowed) {
  Positions positions;
  positions.OnHeard(kNow, PeerId(1), 900, kValid);
  positions.Forget(PeerId(1));
  EXPECT_EQ(Choose(positions, 2, true), 2);
  EXPECT_EQ(positions.size(), 0);
}

}  // namespace
}  // namespace starling
