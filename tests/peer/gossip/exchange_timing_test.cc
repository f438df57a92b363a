#include "peer/gossip/exchange_timing.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

const ExchangeTimingOptions kOptions{absl::Seconds(2), absl::Seconds(20)};

TEST(ExchangeTimingTest, TheCeilingHoldsBeforeTheFirstMeasurement) {
  const ExchangeTiming timing(kOptions);
  EXPECT_EQ(timing.deadline(), absl::Seconds(20));
  EXPECT_EQ(timing.resend(), absl::Seconds(5));
  EXPECT_EQ(timing.smoothed(), absl::ZeroDuration());
}

TEST(ExchangeTimingTest, TheDeadlineIsEightSmoothedDurations) {
  ExchangeTiming timing(kOptions);
  timing.OnCommitted(absl::Seconds(1));
  EXPECT_EQ(timing.deadline(), absl::Seconds(8));
  timing.OnCommitted(absl::Seconds(2));
  EXPECT_EQ(timing.smoothed(), absl::Milliseconds(1200));
  EXPECT_EQ(timing.deadline(), absl::Milliseconds(9600));
  EXPECT_EQ(timing.resend(), absl::Milliseconds(2400));
}

TEST(ExchangeTimingTest, FloorAndCeilingBoundTheDeadline) {
  ExchangeTiming quick(kOptions);
  quick.OnCommitted(absl::Microseconds(3));
  EXPECT_EQ(quick.deadline(), absl::Seconds(2));
  ExchangeTiming slow(kOptions);
  slow.OnCommitted(absl::Minutes(3));
  EXPECT_EQ(slow.deadline(), absl::Seconds(20));
}

TEST(ExchangeTimingTest, GivingUpDoublesThePatienceUpToTheCeiling) {
  ExchangeTiming timing(kOptions);
  timing.OnCommitted(absl::Milliseconds(1));
  timing.OnGivenUp();
  EXPECT_EQ(timing.deadline(), absl::Seconds(4));
  timing.OnGivenUp();
  EXPECT_EQ(timing.deadline(), absl::Seconds(8));
  for (int i = 0; i < 1000; ++i) timing.OnGivenUp();
  EXPECT_EQ(timing.deadline(), absl::Seconds(20));
  EXPECT_EQ(timing.smoothed(), absl::Milliseconds(1));
}

TEST(ExchangeTimingTest, ACommitEndsTheExtraPatience) {
  ExchangeTiming timing(kOptions);
  timing.OnCommitted(absl::Seconds(1));
  for (int i = 0; i < 5; ++i) timing.OnGivenUp();
  timing.OnCommitted(absl::Seconds(1));
  EXPECT_EQ(timing.deadline(), absl::Seconds(8));
}

TEST(ExchangeTimingTest, GivingUpBeforeTheFirstMeasurementKeepsTheCeiling) {
  ExchangeTiming timing(kOptions);
  timing.OnGivenUp();
  EXPECT_EQ(timing.deadline(), absl::Seconds(20));
}

TEST(ExchangeTimingTest, DeadlineSaysWhereItComesFrom) {
  ExchangeTiming timing({absl::Milliseconds(100), absl::Seconds(10)});
  EXPECT_EQ(timing.source(), "nothing measured yet: the longest");
  timing.OnCommitted(absl::Milliseconds(20));
  EXPECT_EQ(timing.source(), "8 x the smoothed duration of 20ms, within 100ms and 10s");
  timing.OnGivenUp();
  EXPECT_EQ(timing.source(),
            "8 x the smoothed duration of 20ms, within 100ms and 10s, longer after some in vain");
}

}  // namespace
}  // namespace starling
