#include "peer/gossip/exchange_deadline.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

const ExchangeTimingOptions kOptions{absl::Seconds(2), absl::Seconds(20)};
constexpr uint64_t k256MiB = uint64_t{256} << 20;

PastExchanges Took(absl::Duration smoothed, double bytes_per_second = 1e8) {
  return {true, smoothed, bytes_per_second, 0};
}

TEST(ExchangeDeadlineTest, BeforeAnythingIsMeasuredThereIsTheCeilingAndTwiceTheTransferAtTenMegabit) {
  EXPECT_EQ(DeadlineOf({}, {}, kOptions).after, absl::Seconds(20));
  const ExchangeDeadline deadline = DeadlineOf({.bytes = 1'250'000}, {}, kOptions);
  EXPECT_EQ(deadline.transfer, absl::Seconds(1));
  EXPECT_EQ(deadline.after, absl::Seconds(22));
}

TEST(ExchangeDeadlineTest, ALargeModelBehindASlowLineCanSucceedAtOnce) {
  // 107 s each way at 20 Mbit/s, and 429 s in all at 10.
  const absl::Duration after = DeadlineOf({.bytes = 2 * k256MiB}, {}, kOptions).after;
  EXPECT_GT(after, absl::Seconds(2 * 107));
  EXPECT_GT(after, absl::Seconds(2 * 429));
}

TEST(ExchangeDeadlineTest, OnceMeasuredItFollowsTheLine) {
  const PastExchanges slow = Took(absl::Seconds(215), 2 * k256MiB / 215.0);
  const ExchangeDeadline deadline = DeadlineOf({.bytes = 2 * k256MiB}, slow, kOptions);
  EXPECT_NEAR(absl::ToDoubleSeconds(deadline.after), 20 + 2 * 215, 0.001);
  EXPECT_EQ(deadline.slack, absl::Seconds(20));
}

TEST(ExchangeDeadlineTest, OnAFastLineItIsEightUsualDurations) {
  EXPECT_EQ(DeadlineOf({}, Took(absl::Seconds(1)), kOptions).after, absl::Seconds(8));
  EXPECT_EQ(DeadlineOf({}, Took(absl::Microseconds(3)), kOptions).after, absl::Seconds(2));
  EXPECT_EQ(DeadlineOf({}, Took(absl::Minutes(3)), kOptions).after, absl::Seconds(20));
}

TEST(ExchangeDeadlineTest, RoundTripAndBothStepsAreWaitedForTwice) {
  const ExchangeTerms terms{.round_trip = absl::Milliseconds(200),
                            .own_step = absl::Seconds(3),
                            .other_step = absl::Seconds(60)};
  EXPECT_EQ(DeadlineOf(terms, Took(absl::Milliseconds(1)), kOptions).after,
            absl::Seconds(2) + 2 * (absl::Seconds(63) + absl::Milliseconds(200)));
}

TEST(ExchangeDeadlineTest, EachOneGivenUpDoublesTheSlackUpToTheCeiling) {
  PastExchanges past = Took(absl::Milliseconds(1));
  past.given_up = 1;
  EXPECT_EQ(DeadlineOf({}, past, kOptions).after, absl::Seconds(4));
  past.given_up = 2;
  EXPECT_EQ(DeadlineOf({}, past, kOptions).after, absl::Seconds(8));
  past.given_up = 1'000'000;
  EXPECT_EQ(DeadlineOf({}, past, kOptions).after, absl::Seconds(20));
}

TEST(ExchangeDeadlineTest, BeforeTheFirstEachOneGivenUpHalvesTheAssumedBandwidthDownToAMegabit) {
  const ExchangeTerms terms{.bytes = 1'250'000};
  PastExchanges past;
  past.given_up = 1;
  EXPECT_EQ(DeadlineOf(terms, past, kOptions).after, absl::Seconds(20 + 2 * 2));
  past.given_up = 2;
  EXPECT_EQ(DeadlineOf(terms, past, kOptions).after, absl::Seconds(20 + 2 * 4));
  past.given_up = 1'000'000;
  EXPECT_EQ(DeadlineOf(terms, past, kOptions).after, absl::Seconds(20 + 2 * 10));
}

TEST(ExchangeDeadlineTest, NoLineCountsAsSlowerThanAMegabit) {
  const ExchangeTerms terms{.bytes = 125'000};
  EXPECT_EQ(DeadlineOf(terms, Took(absl::Minutes(1), 3), kOptions).transfer, absl::Seconds(1));
}

TEST(ExchangeDeadlineTest, ItSaysWhereItComesFrom) {
  const auto source = [](const ExchangeTerms& terms, const PastExchanges& past,
                         const ExchangeTimingOptions& options = kOptions) {
    return DeadlineOf(terms, past, options).Source(terms, past, options);
  };
  EXPECT_EQ(source({.bytes = 2'500'000}, {}),
            "20s: nothing measured yet; and 2 x (2s for 2.5 MB at 1.2 MB/s, assumed)");
  PastExchanges past = Took(absl::Milliseconds(400), 5e6);
  const ExchangeTerms terms{2'500'000, absl::Milliseconds(30), absl::Milliseconds(50),
                            absl::Seconds(2)};
  EXPECT_EQ(source(terms, past),
            "3.2s: 8 x the smoothed duration of 400ms, within 2s and 20s; and 2 x (500ms for 2.5 MB at "
            "5.0 MB/s + 30ms round trip + 50ms own step + 2s other's step)");
  past.given_up = 1;
  EXPECT_EQ(source({.bytes = 500}, past),
            "6.4s: 8 x the smoothed duration of 400ms, within 2s and 20s, longer after 1 in vain; and 2 x "
            "(100us for 0.5 kB at 5.0 MB/s)");
  EXPECT_EQ(source({}, {}, {absl::Seconds(100), absl::Seconds(100)}),
            "1m40s: fixed; and 2 x (0 for 0.0 kB at 1.2 MB/s, assumed)");
}

}  // namespace
}  // namespace starling
