#include "peer/gossip/exchange_timing.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

const ExchangeTimingOptions kOptions{absl::Seconds(2), absl::Seconds(20)};

absl::Duration After(const ExchangeTiming& timing, uint64_t bytes = 0) {
  return timing.deadline({.bytes = bytes}).after;
}

TEST(ExchangeTimingTest, NothingIsKnownBeforeTheFirst) {
  const ExchangeTiming timing(kOptions);
  EXPECT_EQ(After(timing), absl::Seconds(20));
  EXPECT_EQ(timing.smoothed(), absl::ZeroDuration());
  EXPECT_FALSE(timing.past().any);
}

TEST(ExchangeTimingTest, DurationsAndBandwidthAreSmoothed) {
  ExchangeTiming timing(kOptions);
  timing.OnCommitted(absl::Seconds(1), 8'000'000);
  EXPECT_EQ(After(timing), absl::Seconds(8));
  EXPECT_EQ(timing.past().bytes_per_second, 8e6);
  timing.OnCommitted(absl::Seconds(2), 8'000'000);
  EXPECT_EQ(timing.smoothed(), absl::Milliseconds(1200));
  EXPECT_EQ(timing.past().bytes_per_second, 0.8 * 8e6 + 0.2 * 4e6);
  EXPECT_EQ(After(timing, 7'200'000), absl::Seconds(9.6) + absl::Seconds(2));
}

TEST(ExchangeTimingTest, WhatMovedNothingTellsNothingOfTheLine) {
  ExchangeTiming timing(kOptions);
  timing.OnCommitted(absl::Seconds(1));
  EXPECT_EQ(timing.past().bytes_per_second, 0);
  timing.OnCommitted(absl::ZeroDuration(), 1000);
  EXPECT_GT(timing.past().bytes_per_second, 0);
}

TEST(ExchangeTimingTest, APartTellsOfTheLineAndOfNothingElse) {
  ExchangeTiming timing(kOptions);
  timing.OnGivenUp();
  timing.OnPart(absl::Seconds(2), 1'000'000);
  EXPECT_EQ(timing.past().bytes_per_second, 500'000);
  EXPECT_FALSE(timing.past().any);
  EXPECT_EQ(timing.past().given_up, 1);
}

TEST(ExchangeTimingTest, GivingUpGivesTheNextOneMoreAndACommitEndsThat) {
  ExchangeTiming timing(kOptions);
  timing.OnCommitted(absl::Milliseconds(1));
  timing.OnGivenUp();
  EXPECT_EQ(After(timing), absl::Seconds(4));
  for (int i = 0; i < 2000; ++i) timing.OnGivenUp();
  EXPECT_EQ(After(timing), absl::Seconds(20));
  EXPECT_EQ(timing.smoothed(), absl::Milliseconds(1));
  timing.OnCommitted(absl::Milliseconds(1));
  EXPECT_EQ(After(timing), absl::Seconds(2));
}

}  // namespace
}  // namespace starling
