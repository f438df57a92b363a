#include "peer/rounds/global_period.h"

#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

std::vector<uint64_t> GlobalRounds(const GlobalPeriod& period, uint64_t until) {
  std::vector<uint64_t> rounds;
  for (uint64_t round = 0; round < until; ++round) {
    if (period.IsGlobal(round)) rounds.push_back(round);
  }
  return rounds;
}

// Makes global rounds of the given loss, as many as asked for; returns the last one.
uint64_t MakeGlobal(GlobalPeriod& period, int count, double loss) {
  uint64_t last = 0;
  for (int i = 0; i < count; ++i) {
    last = period.next();
    EXPECT_TRUE(period.IsGlobal(last));
    period.OnGlobal(last, loss);
  }
  return last;
}

TEST(GlobalPeriodTest, AFixedPeriodMakesEveryHthRoundGlobalWhateverTheLoss) {
  GlobalPeriod period(4, 0);
  EXPECT_EQ(GlobalRounds(period, 13), (std::vector<uint64_t>{3, 7, 11}));
  period.OnGlobal(3, 0.001);
  period.OnHeard(4, 5, 2.0);
  EXPECT_EQ(GlobalRounds(period, 13), (std::vector<uint64_t>{3, 7, 11}));
  EXPECT_EQ(period.next(), 0);
  EXPECT_EQ(period.reference(), 0);
}

TEST(GlobalPeriodTest, ZeroIsNever) {
  GlobalPeriod never(0, 0.25);
  EXPECT_TRUE(GlobalRounds(never, 100).empty());
  never.OnGlobal(3, 1);
  never.OnHeard(3, 4, 1);
  EXPECT_TRUE(GlobalRounds(never, 100).empty());
}

TEST(GlobalPeriodTest, DuringTheWarmUpThePeriodStays) {
  GlobalPeriod period(4, 1);
  for (int i = 0; i < static_cast<int>(GlobalPeriod::kWarmUp); ++i) {
    EXPECT_EQ(period.reference(), 0);
    MakeGlobal(period, 1, 8.0 / (i + 1));
    EXPECT_EQ(period.every(), 4);
  }
  // ((8 + 4)/2 + 8/3)/2 ...
  EXPECT_NEAR(period.reference(), ((((8 + 4) / 2.0) + 8 / 3.0) / 2 + 2) / 2, 1e-12);
}

TEST(GlobalPeriodTest, AfterwardsItGrowsAsTheLossFallsAndShrinksAsItRises) {
  GlobalPeriod period(4, 1);
  MakeGlobal(period, 4, 2);
  const uint64_t at = MakeGlobal(period, 1, 0.5);
  EXPECT_EQ(period.every(), 16);
  EXPECT_EQ(period.next(), at + 16);
  MakeGlobal(period, 1, 4);
  EXPECT_EQ(period.every(), 2);
  MakeGlobal(period, 1, 1.9);
  EXPECT_EQ(period.every(), 5);  // rounded up
  GlobalPeriod gentle(4, 0.5);
  MakeGlobal(gentle, 4, 2);
  MakeGlobal(gentle, 1, 0.5);
  EXPECT_EQ(gentle.every(), 8);
}

TEST(GlobalPeriodTest, ItStaysBetweenOneAndAManyfoldOfTheFirst) {
  GlobalPeriod period(4, 1);
  MakeGlobal(period, 4, 1);
  MakeGlobal(period, 1, 1e-9);
  EXPECT_EQ(period.every(), 4 * GlobalPeriod::kMostStretch);
  MakeGlobal(period, 1, 1e9);
  EXPECT_EQ(period.every(), 1);
}

TEST(GlobalPeriodTest, ALossThatIsNoneChangesNoPeriodForEver) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  GlobalPeriod period(4, 1);
  for (const double loss : {nan, infinity, 0.0, -1.0}) MakeGlobal(period, 1, loss);
  MakeGlobal(period, 4, 2);
  EXPECT_EQ(period.reference(), 2);
  for (const double loss : {nan, infinity, 0.0, -1.0}) {
    MakeGlobal(period, 1, loss);
    EXPECT_EQ(period.every(), 4);
  }
  MakeGlobal(period, 1, 1);
  EXPECT_EQ(period.every(), 8);
}

TEST(GlobalPeriodTest, ANewcomerTakesOverTheNextRoundAndWhatTheLossIsMeasuredAgainst) {
  GlobalPeriod veteran(4, 1);
  MakeGlobal(veteran, 4, 2);
  const uint64_t last = MakeGlobal(veteran, 1, 0.5);
  GlobalPeriod newcomer(4, 1);
  newcomer.OnHeard(last + 3, veteran.next(), veteran.reference());
  EXPECT_EQ(newcomer.next(), veteran.next());
  for (const double loss : {0.4, 0.1, 3.0}) {
    const uint64_t round = veteran.next();
    EXPECT_TRUE(newcomer.IsGlobal(round));
    veteran.OnGlobal(round, loss);
    newcomer.OnGlobal(round, loss);
    EXPECT_EQ(newcomer.next(), veteran.next());
    EXPECT_EQ(newcomer.every(), veteran.every());
  }
}

TEST(GlobalPeriodTest, WhoMissedAGlobalRoundGoesByALaterOneItHearsOf) {
  GlobalPeriod one(4, 1);
  GlobalPeriod other(4, 1);
  MakeGlobal(one, 5, 2);
  MakeGlobal(other, 4, 2);
  other.OnHeard(one.next() - 1, one.next(), one.reference());
  EXPECT_EQ(other.next(), one.next());
  one.OnHeard(one.next() - 2, one.next() - 3, 7);  // an earlier one tells it nothing
  EXPECT_EQ(other.next(), one.next());
  EXPECT_EQ(one.reference(), 2);
}

TEST(GlobalPeriodTest, ARoundTooFarAwayToBeTrueIsNotBelieved) {
  GlobalPeriod period(4, 1);
  const uint64_t next = period.next();
  period.OnHeard(10, uint64_t{1} << 60, 0);
  period.OnHeard(10, 10 + 4 * GlobalPeriod::kMostStretch + 1, 0);
  EXPECT_EQ(period.next(), next);
  period.OnHeard(10, 10 + 4 * GlobalPeriod::kMostStretch, 0);
  EXPECT_EQ(period.next(), 10 + 4 * GlobalPeriod::kMostStretch);
}

}  // namespace
}  // namespace starling
