#include "peer/rounds/round_clock.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'600'000'000);

TEST(RoundClockTest, AsksAgainAfterTheRetryTimeAndThenMoreAndMoreRarely) {
  RoundClock clock({absl::Seconds(1), absl::Seconds(40)});
  clock.Begin(kStart);
  EXPECT_FALSE(clock.TakeRetry(kStart + absl::Milliseconds(999)));
  for (const int second : {1, 3, 7, 12, 17}) {  // 1, 2, 4, 5, 5 later
    const absl::Time due = kStart + absl::Seconds(second);
    EXPECT_EQ(clock.NextWake(), due);
    EXPECT_TRUE(clock.TakeRetry(due));
    EXPECT_FALSE(clock.TakeRetry(due));
  }
}

TEST(RoundClockTest, IsOverAtTheDeadline) {
  RoundClock clock({absl::Seconds(1), absl::Seconds(4)});
  EXPECT_FALSE(clock.Over(kStart));
  clock.Begin(kStart);
  EXPECT_FALSE(clock.Over(kStart + absl::Milliseconds(3999)));
  EXPECT_TRUE(clock.Over(kStart + absl::Seconds(4)));
}

TEST(RoundClockTest, AsksBeforeTheDeadlineHoweverLongTheRetryTime) {
  RoundClock clock({absl::Seconds(9), absl::Seconds(4)});
  clock.Begin(kStart);
  EXPECT_FALSE(clock.TakeRetry(kStart + absl::Milliseconds(1999)));
  EXPECT_TRUE(clock.TakeRetry(kStart + absl::Seconds(2)));
  EXPECT_EQ(clock.NextWake(), kStart + absl::Seconds(4));
}

}  // namespace
}  // namespace starling
