#include "peer/transport/link_budget.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1000);
constexpr PeerId kSomebody(1);
constexpr PeerId kAnother(2);
constexpr uint64_t kExchange = 4000;

using Limit = LinkBudget::Limit;

v1::LinkLimits Limits(uint64_t send, uint64_t send_per_peer = 0, uint64_t send_per_day = 0) {
  v1::LinkLimits limits;
  limits.set_send(send);
  limits.set_send_per_peer(send_per_peer);
  limits.set_send_per_day(send_per_day);
  return limits;
}

LinkBudget Budget(const v1::LinkLimits& limits) {
  LinkBudget budget({.sent = kExchange, .received = kExchange});
  budget.SetLimits(kStart, limits);
  return budget;
}

bool MaySend(const LinkBudget& budget, absl::Time now, PeerId peer, uint64_t bytes) {
  return budget.WaitFor(now, Direction::kSend, peer, bytes).time == absl::ZeroDuration();
}

struct Sent {
  absl::Time when;
  PeerId peer;
  uint64_t bytes;
};

// Somebody who sends whenever that is allowed, in turn to both, at uneven times.
std::vector<Sent> SendAllDay(LinkBudget& budget, absl::Duration length, absl::Duration pause) {
  Random random(7);
  std::vector<Sent> sent;
  for (absl::Time now = kStart; now < kStart + length; now += 2 * random.Uniform() * pause) {
    const PeerId peer = random.Uniform() < 0.7 ? kSomebody : kAnother;
    const uint64_t bytes = 500 + static_cast<uint64_t>(random.Uniform() * (kExchange - 500));
    if (!MaySend(budget, now, peer, bytes)) continue;
    budget.Charge(now, Direction::kSend, peer, bytes);
    sent.push_back({now, peer, bytes});
  }
  return sent;
}

// The most by which any window of time holds more than `rate` times its length. `peer` empty: of all.
double WorstExcess(const std::vector<Sent>& sent, double rate, PeerId peer = PeerId()) {
  double worst = 0;
  for (size_t begin = 0; begin < sent.size(); ++begin) {
    double bytes = 0;
    for (size_t end = begin; end < sent.size(); ++end) {
      if (!peer.empty() && sent[end].peer != peer) continue;
      bytes += static_cast<double>(sent[end].bytes);
      const double seconds = absl::ToDoubleSeconds(sent[end].when - sent[begin].when);
      worst = std::max(worst, bytes - rate * seconds);
    }
  }
  return worst;
}

TEST(LinkBudgetTest, WithoutLimitsEverythingGoesAndIsCounted) {
  LinkBudget budget({.sent = kExchange, .received = kExchange});
  EXPECT_FALSE(budget.limited());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(MaySend(budget, kStart, kSomebody, 1'000'000'000));
    budget.Charge(kStart, Direction::kSend, kSomebody, 1'000'000'000);
  }
  EXPECT_EQ(budget.LastDay(kStart, Direction::kSend), 100'000'000'000);
  EXPECT_EQ(budget.LastDay(kStart, Direction::kReceive), 0);
  EXPECT_EQ(budget.peers(), 0);
}

TEST(LinkBudgetTest, NoWindowOfTimeHoldsMoreThanTheRateAndOneBucket) {
  LinkBudget budget = Budget(Limits(1000));
  const std::vector<Sent> sent = SendAllDay(budget, absl::Minutes(20), absl::Milliseconds(700));
  EXPECT_GT(sent.size(), 200);
  EXPECT_LE(WorstExcess(sent, 1000), kExchange + 1e-3);
}

TEST(LinkBudgetTest, TheLimitPerPeerAndTheOneOnAllHoldTogether) {
  LinkBudget budget = Budget(Limits(1500, 1000));
  const std::vector<Sent> sent = SendAllDay(budget, absl::Minutes(20), absl::Milliseconds(700));
  EXPECT_LE(WorstExcess(sent, 1500), kExchange + 1e-3);
  EXPECT_LE(WorstExcess(sent, 1000, kSomebody), kExchange + 1e-3);
  EXPECT_LE(WorstExcess(sent, 1000, kAnother), kExchange + 1e-3);
  double bytes = 0;
  for (const Sent& each : sent) bytes += static_cast<double>(each.bytes);
  EXPECT_GT(bytes, 0.8 * 1500 * 20 * 60) << "nor much less";
}

TEST(LinkBudgetTest, NoDayHoldsMoreThanTheLimitByTheDayAndItLastsUntilNight) {
  constexpr uint64_t kDay = 100 * kExchange;
  LinkBudget budget = Budget(Limits(0, 0, kDay));
  const std::vector<Sent> sent = SendAllDay(budget, absl::Hours(100), absl::Minutes(2));
  for (size_t begin = 0; begin < sent.size(); ++begin) {
    uint64_t bytes = 0;
    for (size_t end = begin; end < sent.size() && sent[end].when < sent[begin].when + absl::Hours(24);
         ++end) {
      bytes += sent[end].bytes;
    }
    ASSERT_LE(bytes, kDay) << begin;
  }
  // From the second day on none of the six-hour spells is without exchanges, or has half of the day's.
  for (int spell = 4; spell < 16; ++spell) {
    uint64_t bytes = 0;
    for (const Sent& each : sent) {
      const absl::Duration since = each.when - kStart;
      if (since >= spell * absl::Hours(6) && since < (spell + 1) * absl::Hours(6)) bytes += each.bytes;
    }
    EXPECT_GT(bytes, kDay / 8) << spell;
    EXPECT_LT(bytes, kDay / 2) << spell;
  }
}

TEST(LinkBudgetTest, WhatWasSpentCountsForADayAndAtMostAQuarterOfAnHourMore) {
  LinkBudget budget = Budget({});
  budget.Charge(kStart + absl::Minutes(7), Direction::kSend, kSomebody, 10);
  budget.Charge(kStart + absl::Hours(5), Direction::kSend, kSomebody, 20);
  const absl::Time day_later = kStart + absl::Minutes(7) + absl::Hours(24);
  EXPECT_EQ(budget.LastDay(day_later, Direction::kSend), 30);
  EXPECT_EQ(budget.LastDay(day_later + DayWindow::kCell, Direction::kSend), 20);
  EXPECT_EQ(budget.LastDay(day_later + absl::Hours(1000), Direction::kSend), 0);
  budget.Charge(day_later + absl::Hours(1000), Direction::kSend, kSomebody, 5);
  EXPECT_EQ(budget.LastDay(day_later + absl::Hours(1000), Direction::kSend), 5);
}

TEST(LinkBudgetTest, WhatIsToldToWaitMayGoWhenItHasWaitedAndNotSooner) {
  for (const v1::LinkLimits& limits :
       {Limits(1000), Limits(0, 700), Limits(0, 0, 10 * kExchange), Limits(900, 800, 9 * kExchange)}) {
    LinkBudget budget = Budget(limits);
    absl::Time now = kStart;
    for (int exchange = 0; exchange < 50; ++exchange) {
      const absl::Duration wait =
          budget.WaitFor(now, Direction::kSend, kSomebody, kExchange).time;
      if (wait > absl::ZeroDuration()) {
        EXPECT_FALSE(MaySend(budget, now + wait / 2, kSomebody, kExchange));
      }
      now += wait;
      // The pace of a day and its sum may bind one after the other.
      now += budget.WaitFor(now, Direction::kSend, kSomebody, kExchange).time;
      ASSERT_TRUE(MaySend(budget, now, kSomebody, kExchange)) << exchange;
      budget.Charge(now, Direction::kSend, kSomebody, kExchange);
    }
  }
}

TEST(LinkBudgetTest, WhatIsLargerThanABucketGoesWhenThatIsFullAndIsPaidBack) {
  LinkBudget budget = Budget(Limits(1000));
  EXPECT_TRUE(MaySend(budget, kStart, kSomebody, 10 * kExchange));
  budget.Charge(kStart, Direction::kSend, kSomebody, 10 * kExchange);
  EXPECT_FALSE(MaySend(budget, kStart + absl::Seconds(36), kSomebody, 1));
  EXPECT_TRUE(MaySend(budget, kStart + absl::Seconds(37), kSomebody, 1));
  EXPECT_FALSE(MaySend(budget, kStart + absl::Seconds(39), kSomebody, 10 * kExchange));
  EXPECT_TRUE(MaySend(budget, kStart + absl::Seconds(41), kSomebody, 10 * kExchange));
  LinkBudget by_day = Budget(Limits(0, 0, kExchange));
  EXPECT_TRUE(MaySend(by_day, kStart, kSomebody, 10 * kExchange));
}

TEST(LinkBudgetTest, WhatIsPromisedToOthersIsNotThereToBeSent) {
  LinkBudget budget = Budget(Limits(1000));
  const auto wait = [&](uint64_t promised) {
    return budget.WaitFor(kStart, Direction::kSend, kSomebody, 3000, promised).time;
  };
  EXPECT_EQ(wait(1000), absl::ZeroDuration());
  EXPECT_GT(wait(2000), absl::ZeroDuration());
  EXPECT_EQ(budget.WaitFor(kStart, Direction::kSend, kSomebody, 0, 9999).time,
            absl::ZeroDuration());
}

TEST(LinkBudgetTest, CreditIsWhatWouldBeThereWithoutTheFrameAtHand) {
  LinkBudget budget = Budget({});
  v1::LinkLimits limits;
  limits.set_receive(1000);
  budget.SetLimits(kStart, limits);
  const auto has_credit = [&](uint64_t forgiven) {
    return budget.WaitForCredit(kStart, Direction::kReceive, kSomebody, forgiven).limit ==
           Limit::kNone;
  };
  budget.Charge(kStart, Direction::kReceive, kSomebody, kExchange);
  EXPECT_TRUE(has_credit(0));
  budget.Charge(kStart, Direction::kReceive, kSomebody, 100);
  EXPECT_FALSE(has_credit(0));
  EXPECT_FALSE(has_credit(99));
  EXPECT_TRUE(has_credit(100));
}

TEST(LinkBudgetTest, DirectionsAreApart) {
  LinkBudget budget = Budget(Limits(1000));
  budget.Charge(kStart, Direction::kReceive, kSomebody, 100 * kExchange);
  EXPECT_TRUE(MaySend(budget, kStart, kSomebody, kExchange));
  budget.Charge(kStart, Direction::kSend, kSomebody, 100 * kExchange);
  EXPECT_FALSE(MaySend(budget, kStart, kSomebody, 1));
  EXPECT_EQ(budget.WaitFor(kStart, Direction::kReceive, kSomebody, kExchange).limit, Limit::kNone);
}

TEST(LinkBudgetTest, AChangeHoldsFromThenOnAndForgivesNothing) {
  LinkBudget budget = Budget(Limits(1000));
  budget.Charge(kStart, Direction::kSend, kSomebody, kExchange + 2000);
  EXPECT_EQ(budget.WaitFor(kStart, Direction::kSend, kSomebody, 1000).time,
            absl::Seconds(3) + absl::Nanoseconds(1));
  budget.SetLimits(kStart, Limits(100));
  EXPECT_EQ(budget.WaitFor(kStart, Direction::kSend, kSomebody, 1000).time,
            absl::Seconds(30) + absl::Nanoseconds(1));
  budget.SetLimits(kStart, Limits(0));
  EXPECT_TRUE(MaySend(budget, kStart, kSomebody, 1'000'000));
  EXPECT_FALSE(budget.limited());
  budget.SetLimits(kStart, Limits(1000));
  EXPECT_TRUE(MaySend(budget, kStart, kSomebody, kExchange)) << "a new limit begins full";
}

TEST(LinkBudgetTest, LimitsThatAreNotNamedStay) {
  LinkBudget budget = Budget(Limits(1000, 2000, 0));
  v1::LinkLimits change;
  change.set_send(0);
  change.set_receive_per_day(5000);
  budget.SetLimits(kStart, change);
  EXPECT_EQ(budget.limits().send(), 0);
  EXPECT_EQ(budget.limits().send_per_peer(), 2000);
  EXPECT_EQ(budget.limits().receive_per_day(), 5000);
  EXPECT_TRUE(budget.limits().has_receive());
  EXPECT_EQ(budget.DescribeAll(), "2.0 kB/s sent per peer, 5.0 kB received a day");
}

TEST(LinkBudgetTest, TheLimitThatTakesLongestIsNamed) {
  LinkBudget budget = Budget(Limits(2000, 1000));
  budget.Charge(kStart, Direction::kSend, kSomebody, 2 * kExchange);
  EXPECT_EQ(budget.WaitFor(kStart, Direction::kSend, kSomebody, 100).limit, Limit::kPerPeer);
  EXPECT_EQ(budget.WaitFor(kStart, Direction::kSend, kAnother, 100).limit, Limit::kTotal);
  EXPECT_EQ(budget.Describe(Direction::kSend, Limit::kPerPeer), "1.0 kB/s sent per peer");
}

TEST(LinkBudgetTest, BucketsOfPeersAreBoundedAndDebtsOutliveFullOnes) {
  LinkBudget budget = Budget(Limits(0, 1000));
  budget.Charge(kStart, Direction::kSend, kSomebody, 100 * kExchange);
  for (uint64_t peer = 2; peer < 5000; ++peer) {
    budget.Charge(kStart, Direction::kSend, PeerId(peer), 1);
  }
  EXPECT_LE(budget.peers(), LinkBudget::kMostPeers);
  EXPECT_FALSE(MaySend(budget, kStart, kSomebody, 1));
}

TEST(LinkBudgetTest, LimitsOutOfRangeAreNamed) {
  EXPECT_TRUE(ValidateLimits({}).ok());
  EXPECT_TRUE(ValidateLimits(Limits(1000, 0, 1'000'000'000'000'000)).ok());
  EXPECT_EQ(ValidateLimits(Limits(20)).message(),
            "limit send is 20 B; it must be 0, for none, or from 1 kB to 1 PB, such as 500kB or 20Mbit");
  EXPECT_FALSE(ValidateLimits(Limits(0, 0, 1'000'000'000'000'001)).ok());
}

}  // namespace
}  // namespace starling
