#include "peer/gossip/staleness_gate.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr PeerId kPeer(5);
constexpr Incarnation kSelf = 90;
constexpr absl::Duration kBound = absl::Seconds(40);

class StalenessGateTest : public ::testing::Test {
 protected:
  void Hear(absl::Duration at, uint64_t step, Incarnation incarnation = 3) {
    gate_.SetMembers(start_ + at, {{kPeer, {incarnation, step}}}, {});
  }
  absl::optional<std::string> Judge(absl::Duration at, uint64_t step, Incarnation incarnation = 3,
                                    Incarnation receiver = kSelf) {
    v1::ShardHeader request;
    request.set_sender(kPeer.value());
    request.set_sender_incarnation(incarnation);
    request.set_receiver_incarnation(receiver);
    request.set_step(step);
    return gate_.Judge(start_ + at, request);
  }

  const absl::Time start_ = absl::UnixEpoch();
  StalenessGate gate_{kSelf, kBound};
};

TEST_F(StalenessGateTest, AStepThatItsSenderPassedLongAgoIsStale) {
  for (int second = 0; second <= 300; ++second) {
    Hear(absl::Seconds(second), static_cast<uint64_t>(10 * second));
  }
  const absl::Duration now = absl::Seconds(300);
  EXPECT_FALSE(Judge(now, 3000));
  EXPECT_FALSE(Judge(now, 2700)) << "30 s old: within the bound";
  const auto stale = Judge(now, 1000);
  ASSERT_TRUE(stale) << "200 s old";
  EXPECT_TRUE(absl::StrContains(*stale, "values of step 1000, but their sender had made 2"));
  EXPECT_TRUE(absl::StrContains(*stale, "the limit is 40s")) << *stale;
}

TEST_F(StalenessGateTest, WhatIsYoungerThanTheBoundIsNeverStaleAndWhatIsTwiceAsOldAlways) {
  // Whatever the pace: a hundredth of a step a second, or a thousand.
  for (const double pace : {0.01, 0.5, 20.0, 1000.0}) {
    const auto step_at = [&](int second) { return static_cast<uint64_t>(pace * second); };
    StalenessGate gate(kSelf, kBound);
    for (int second = 0; second <= 1000; ++second) {
      gate.SetMembers(start_ + absl::Seconds(second), {{kPeer, {3, step_at(second)}}}, {});
      for (int age = 0; age <= second; age += 7) {
        v1::ShardHeader request;
        request.set_sender(kPeer.value());
        request.set_sender_incarnation(3);
        request.set_step(step_at(second - age));
        const bool stale = gate.Judge(start_ + absl::Seconds(second), request).has_value();
        if (age <= 40) {
          ASSERT_FALSE(stale) << pace << " " << second << " " << age;
        }
        if (age > 81 && step_at(second - 81) > step_at(second - age)) {
          ASSERT_TRUE(stale) << pace << " " << second << " " << age;
        }
      }
    }
  }
}

TEST_F(StalenessGateTest, APeerThatStandsStillIsNotStaleByItself) {
  Hear(absl::ZeroDuration(), 500);
  EXPECT_FALSE(Judge(absl::Hours(1), 500));
}

TEST_F(StalenessGateTest, WhoDoesNotAnswerMustBeHeardOfFirst) {
  gate_.SetMembers(start_, {}, {kPeer});
  const auto stale = Judge(absl::ZeroDuration(), 500);
  ASSERT_TRUE(stale);
  EXPECT_TRUE(absl::StrContains(*stale, "does not answer"));
  Hear(absl::Seconds(1), 500);
  EXPECT_FALSE(Judge(absl::Seconds(1), 500));
}

TEST_F(StalenessGateTest, FramesOfAnEarlierLifeAreStale) {
  Hear(absl::ZeroDuration(), 500, 4);
  EXPECT_TRUE(Judge(absl::ZeroDuration(), 900, 3));
  EXPECT_FALSE(Judge(absl::ZeroDuration(), 500, 4));
  EXPECT_FALSE(Judge(absl::ZeroDuration(), 2, 5)) << "restarted a moment ago";
}

TEST_F(StalenessGateTest, FramesToAnEarlierLifeOfOursAreStale) {
  EXPECT_TRUE(Judge(absl::ZeroDuration(), 1, 3, kSelf - 1));
  EXPECT_FALSE(Judge(absl::ZeroDuration(), 1, 3, kSelf));
  EXPECT_FALSE(Judge(absl::ZeroDuration(), 1, 3, 0)) << "it does not say whom it means";
}

TEST_F(StalenessGateTest, WhoIsNotKnownPasses) { EXPECT_FALSE(Judge(absl::ZeroDuration(), 0)); }

TEST_F(StalenessGateTest, WhoGoesBackIsJudgedAnew) {
  for (int second = 0; second <= 300; ++second) Hear(absl::Seconds(second), 1000);
  Hear(absl::Seconds(301), 200);
  EXPECT_FALSE(Judge(absl::Seconds(302), 210));
}

}  // namespace
}  // namespace starling
