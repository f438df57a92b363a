#include "peer/cli/chaos_timeline.h"

#include <functional>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr v1::PeerState kUnknown = v1::PEER_STATE_UNSPECIFIED;
constexpr v1::PeerState kAlive = v1::PEER_STATE_ALIVE;
constexpr v1::PeerState kSuspect = v1::PEER_STATE_SUSPECT;
constexpr v1::PeerState kDead = v1::PEER_STATE_DEAD;

// Peers that make a step every 0.1 s and commit one exchange a second, seen ten times a second for
// 20 s. The event is at 10 s; `change` makes of each peer what the test is about.
using Change = std::function<void(double at, int peer, ChaosPeerSample& sample)>;

std::vector<ChaosSample> Timeline(int peers, const Change& change) {
  std::vector<ChaosSample> samples;
  for (int tick = 0; tick <= 200; ++tick) {
    ChaosSample sample = {.at = tick / 10.0};
    for (int peer = 0; peer < peers; ++peer) {
      ChaosPeerSample one = {.answered = true,
                             .training = true,
                             .coordinator_connected = true,
                             .step = static_cast<uint64_t>(tick),
                             .commits = static_cast<uint64_t>(tick / 10),
                             .consensus_distance = 1};
      one.view.assign(peers, kAlive);
      change(sample.at, peer, one);
      sample.peers.push_back(one);
    }
    samples.push_back(sample);
  }
  return samples;
}

void Nothing(double, int, ChaosPeerSample&) {}

ChaosScene Undisturbed() {
  return {.baseline_at = 5, .event_at = 10, .ended_at = 10, .peers = 3, .others = {0, 1, 2}};
}

// Peer 2 is lost to the others.
ChaosScene Lost() {
  ChaosScene scene = Undisturbed();
  scene.others = {0, 1};
  scene.cut = {{0, 2}, {1, 2}};
  return scene;
}

ChaosScene Killed() {
  ChaosScene scene = Lost();
  scene.gone = {2};
  return scene;
}

TEST(ChaosTimelineTest, UndisturbedSwarmNeedsNoRecovery) {
  const ChaosFigures figures = MeasureChaos(Undisturbed(), Timeline(3, Nothing));
  EXPECT_NEAR(figures.next_exchange.value(), 1, 1e-9);
  EXPECT_EQ(figures.one_view, 0);
  EXPECT_EQ(figures.one_model, 0);
  EXPECT_FALSE(figures.newcomer_steps);
  EXPECT_NEAR(figures.step_time, 0.1, 1e-9);
  EXPECT_NEAR(figures.longest_pause, 0.1, 1e-9);
  EXPECT_NEAR(figures.longest_pause_before, 0.1, 1e-9);
  EXPECT_EQ(figures.steps_lost, 0);
  EXPECT_EQ(figures.wrongly_suspected, 0);
  EXPECT_EQ(figures.wrongly_dead, 0);
}

TEST(ChaosTimelineTest, NothingSeenIsNothingMeasured) {
  const ChaosFigures figures = MeasureChaos(Killed(), {});
  EXPECT_FALSE(figures.next_exchange);
  EXPECT_FALSE(figures.suspected);
  EXPECT_FALSE(figures.dead);
  EXPECT_FALSE(figures.one_view);
  EXPECT_FALSE(figures.one_model);
  EXPECT_EQ(figures.longest_pause, 0);
}

TEST(ChaosTimelineTest, KilledPeerIsNoticedWhenTheLastOfTheOthersNoticed) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (at < 9.95) return;
    if (peer == 2) sample.answered = false;
    const double late = peer == 1 ? 0.5 : 0;
    if (at > 10.35 + late) sample.view[2] = kSuspect;
    if (at > 12.35 + late) sample.view[2] = kDead;
  });
  const ChaosFigures figures = MeasureChaos(Killed(), samples);
  EXPECT_NEAR(figures.suspected.value(), 0.9, 1e-9);
  EXPECT_NEAR(figures.dead.value(), 2.9, 1e-9);
  EXPECT_NEAR(figures.one_view.value(), 2.9, 1e-9);
  EXPECT_EQ(figures.wrongly_suspected, 0) << "who is gone is rightly suspected";
}

TEST(ChaosTimelineTest, DeadWithoutHavingBeenSeenSuspectIsSuspectedToo) {
  const auto samples = Timeline(3, [](double at, int, ChaosPeerSample& sample) {
    if (at > 10.25) sample.view[2] = kDead;
  });
  EXPECT_NEAR(MeasureChaos(Killed(), samples).suspected.value(), 0.3, 1e-9);
}

TEST(ChaosTimelineTest, WhatOneObserverNeverSawDidNotHappen) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (at > 10.25 && peer == 0) sample.view[2] = kDead;
  });
  const ChaosFigures figures = MeasureChaos(Killed(), samples);
  EXPECT_FALSE(figures.suspected);
  EXPECT_FALSE(figures.dead);
  EXPECT_FALSE(figures.one_view);
}

TEST(ChaosTimelineTest, RelapseRestartsTheClockOfOneView) {
  ChaosScene scene = Lost();
  scene.ended_at = 12;
  const auto samples = Timeline(3, [](double at, int, ChaosPeerSample& sample) {
    if ((at > 10.25 && at < 13) || (at > 14.95 && at < 15.45)) sample.view[2] = kSuspect;
  });
  const ChaosFigures figures = MeasureChaos(scene, samples);
  EXPECT_NEAR(figures.one_view.value(), 3.5, 1e-9);
  EXPECT_FALSE(figures.dead);
}

TEST(ChaosTimelineTest, ViewThatIsNotOneAtTheEndNeverBecameOne) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (at > 19.95 && peer == 0) sample.view[1] = kSuspect;
  });
  EXPECT_FALSE(MeasureChaos(Undisturbed(), samples).one_view);
}

TEST(ChaosTimelineTest, SilenceNeitherMakesNorBreaksOneView) {
  ChaosScene scene = Lost();
  scene.ended_at = 12;
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer == 2 && (at < 12.95 || at > 19)) sample.answered = false;
    if (peer == 0 && at > 15 && at < 16) sample.answered = false;
  });
  EXPECT_NEAR(MeasureChaos(scene, samples).one_view.value(), 1, 1e-9);
}

TEST(ChaosTimelineTest, FrozenPeersOwnOpinionIsNoWrongOpinionButBelongsToTheOneView) {
  ChaosScene scene = Lost();
  scene.ended_at = 12;
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer == 2 && at > 12 && at < 13) sample.view[0] = kSuspect;
  });
  const ChaosFigures figures = MeasureChaos(scene, samples);
  EXPECT_EQ(figures.wrongly_suspected, 0);
  EXPECT_NEAR(figures.one_view.value(), 1, 1e-9);
}

TEST(ChaosTimelineTest, WrongOpinionsAreCountedOncePerPair) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (at < 9) sample.view[2] = kDead;  // before the event: not its doing
    if (at > 11 && at < 12 && peer == 0) sample.view[1] = kSuspect;
    if (at > 13 && at < 14 && peer == 0) sample.view[1] = kDead;
    if (at > 13 && at < 14 && peer == 2) sample.view[1] = kSuspect;
  });
  const ChaosFigures figures = MeasureChaos(Undisturbed(), samples);
  EXPECT_EQ(figures.wrongly_suspected, 2);
  EXPECT_EQ(figures.wrongly_dead, 1);
}

TEST(ChaosTimelineTest, LostLeaseCountsOnlyWhereTheCoordinatorDoes) {
  ChaosScene scene = Undisturbed();
  const auto samples = Timeline(3, [](double at, int, ChaosPeerSample& sample) {
    sample.coordinator_connected = at < 10 || at > 12;
  });
  EXPECT_EQ(MeasureChaos(scene, samples).one_view, 0);
  scene.coordinator_counts = true;
  EXPECT_NEAR(MeasureChaos(scene, samples).one_view.value(), 2.1, 1e-9);
}

TEST(ChaosTimelineTest, ModelIsOneWhenTheMeanDistanceStaysBelowItsNormalHeightAndAQuarter) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (at > 11 && at < 14) sample.consensus_distance = 3;
    if (at >= 14 && peer == 0) sample.consensus_distance = 1.7;  // mean 1.23
    if (at > 6 && at < 7) sample.consensus_distance = 1.01;
  });
  EXPECT_NEAR(MeasureChaos(Undisturbed(), samples).one_model.value(), 4, 1e-9);
}

TEST(ChaosTimelineTest, DistanceThatWasNeverEstimatedSaysNothingOfTheModel) {
  const auto samples = Timeline(
      3, [](double, int, ChaosPeerSample& sample) { sample.consensus_distance = 0; });
  EXPECT_FALSE(MeasureChaos(Undisturbed(), samples).one_model);
}

TEST(ChaosTimelineTest, LongestPauseIsThatOfTheSlowestOfTheOthers) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer == 1 && at > 11) sample.step = at < 12.45 ? 110 : sample.step;
    if (peer == 2 && at > 11) sample.step = 110;  // hit itself: does not count
  });
  const ChaosFigures figures = MeasureChaos(Killed(), samples);
  EXPECT_NEAR(figures.longest_pause, 1.5, 1e-9);
  EXPECT_NEAR(figures.longest_pause_before, 0.1, 1e-9);
  EXPECT_EQ(figures.steps_lost, 14);
}

TEST(ChaosTimelineTest, PauseThatLastsToTheEndCounts) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer == 1 && at > 15) sample.step = 150;
  });
  EXPECT_NEAR(MeasureChaos(Undisturbed(), samples).longest_pause, 5, 1e-9);
}

TEST(ChaosTimelineTest, PeerThatDoesNotAnswerStandsStillForAllWeKnow) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer == 1 && at > 11.05 && at < 11.95) sample.answered = false;
  });
  EXPECT_NEAR(MeasureChaos(Undisturbed(), samples).longest_pause, 1, 1e-9);
}

TEST(ChaosTimelineTest, NextExchangeWaitsForTheLastOfTheOthers) {
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer == 0 && at > 10 && at < 13.95) sample.commits = 10;
    if (peer == 2 && at > 10) sample.commits = 10;  // hit itself
  });
  EXPECT_NEAR(MeasureChaos(Killed(), samples).next_exchange.value(), 4, 1e-9);
  EXPECT_FALSE(MeasureChaos(Undisturbed(), samples).next_exchange);
}

TEST(ChaosTimelineTest, NewcomerStepsWhenItsCounterMovesWhileItTrains) {
  ChaosScene scene = Undisturbed();
  scene.others = {0, 1};
  scene.newcomer = 2;
  const auto samples = Timeline(3, [](double at, int peer, ChaosPeerSample& sample) {
    if (peer != 2) {
      if (at < 12.95) sample.view[2] = kUnknown;
      return;
    }
    sample.answered = at > 11;
    sample.training = at > 12.55;
    sample.step = at > 12.85 ? 901 : 900;
  });
  const ChaosFigures figures = MeasureChaos(scene, samples);
  EXPECT_NEAR(figures.newcomer_steps.value(), 2.9, 1e-9);
  EXPECT_NEAR(figures.one_view.value(), 3, 1e-9);
}

TEST(ChaosTimelineTest, PeersMissingFromEarlySamplesDoNotAnswer) {
  std::vector<ChaosSample> samples = Timeline(3, Nothing);
  for (ChaosSample& sample : samples) {
    if (sample.at < 11) sample.peers.pop_back();
  }
  EXPECT_NEAR(MeasureChaos(Undisturbed(), samples).one_view.value(), 1, 1e-9);
}

}  // namespace
}  // namespace starling
