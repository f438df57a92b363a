// What the presets promise, in virtual time.

#include "tests/sim/detection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace starling {
namespace {

constexpr int kRuns = 15;

DetectionOptions Swarm(const MembershipOptions& membership, int members, uint64_t seed) {
  DetectionOptions options;
  options.membership = membership;
  options.members = members;
  options.loss = 0.01;
  options.seed = seed;
  return options;
}

absl::Duration Median(std::vector<absl::Duration> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// What everybody has seen when somebody has vanished, or was killed.
struct Medians {
  absl::Duration first_suspect;
  absl::Duration all_suspect;
  absl::Duration all_dead;
};
Medians Measure(const MembershipOptions& membership, int members, bool kill) {
  std::vector<absl::Duration> first_suspect;
  std::vector<absl::Duration> all_suspect;
  std::vector<absl::Duration> all_dead;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    DetectionSwarm swarm(Swarm(membership, members, seed));
    kill ? swarm.Kill(1) : swarm.Crash(1);
    EXPECT_TRUE(swarm.RunUntil([&] { return swarm.Seen().all_dead < absl::InfiniteDuration(); },
                               2 * membership.SuspicionMax(members)));
    first_suspect.push_back(swarm.Seen().first_suspect);
    all_suspect.push_back(swarm.Seen().all_suspect);
    all_dead.push_back(swarm.Seen().all_dead);
  }
  return {Median(first_suspect), Median(all_suspect), Median(all_dead)};
}

TEST(DetectionTest, FirstSuspicionComesAboutOneAndAHalfIntervalsAfterAMachineVanishes) {
  for (const int members : {4, 16}) {
    const Medians lan = Measure(MembershipOptions::Lan(), members, false);
    EXPECT_GT(lan.first_suspect, absl::Seconds(1)) << members;
    EXPECT_LT(lan.first_suspect, absl::Seconds(2)) << members;
    EXPECT_LT(lan.all_dead, absl::Seconds(10)) << members;
  }
}

TEST(DetectionTest, AKilledProcessIsSuspectedByAllWithinAMomentAndDeadSoon) {
  const Medians fast = Measure(MembershipOptions::Fast(), 8, true);
  EXPECT_LT(fast.all_suspect, absl::Seconds(1));
  EXPECT_LT(fast.all_dead, absl::Seconds(5));
}

TEST(DetectionTest, AShortPauseCostsNobodyItsMembershipAndALongOneDoes) {
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    DetectionSwarm brief(Swarm(MembershipOptions::Lan(), 8, seed));
    brief.Pause(3);
    brief.RunFor(absl::Seconds(2));
    brief.Resume(3);
    brief.RunFor(absl::Seconds(10));
    EXPECT_EQ(brief.false_deaths(), 0) << seed;
    EXPECT_TRUE(brief.AllWell()) << seed;

    DetectionSwarm longer(Swarm(MembershipOptions::Lan(), 8, seed));
    longer.Pause(3);
    longer.RunFor(absl::Seconds(15));
    EXPECT_LT(longer.Seen().all_dead, absl::InfiniteDuration()) << seed;
    EXPECT_EQ(longer.false_deaths(), 1) << seed;
    longer.Resume(3);
    EXPECT_TRUE(longer.RunUntil([&] { return longer.AllWell(); }, absl::Seconds(5))) << seed;
  }
}

TEST(DetectionTest, NobodyIsGivenUpOnANetworkThatLosesLittle) {
  DetectionOptions options = Swarm(MembershipOptions::Lan(), 8, 1);
  options.loss = 0.05;
  DetectionSwarm swarm(options);
  swarm.RunFor(absl::Minutes(20));
  EXPECT_EQ(swarm.false_deaths(), 0);
}

}  // namespace
}  // namespace starling
