#include "peer/rounds/rounds_actor.h"

#include "gtest/gtest.h"
#include "peer/runtime/random.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/ring.h"
#include "tests/peer/rounds/rounds_world.h"

namespace starling {
namespace {

RoundSpec Spec(std::unique_ptr<const Topology> topology, uint64_t period = 1) {
  RoundSpec spec;
  spec.topology = std::move(topology);
  spec.period = period;
  return spec;
}

TEST(RoundsActorTest, EverybodysContributionIsAveragedAndComesBackWithTheRoundsNumber) {
  RoundsWorld world(3, {Spec(MakeEveryone(), 4)});
  for (uint64_t step = 8; step <= 16; step += 4) {
    world.Round(step);
    for (uint64_t id = 1; id <= 3; ++id) {
      EXPECT_EQ(world.MixOf(id), 2);
      EXPECT_EQ(world.node(id).mixed.back().number, step / 4);
      EXPECT_EQ(world.node(id).mixed.size(), step / 4 - 1);
    }
  }
  const v1::AveragingStatus status = world.status(2);
  EXPECT_EQ(status.rounds_joined(), 3);
  EXPECT_EQ(status.rounds_complete(), 3);
  EXPECT_EQ(status.rounds_partial(), 0);
  EXPECT_EQ(status.last_round(), 4);
}

TEST(RoundsActorTest, FramesSayWhoSentThemAndFitTheRoundTheyBelongTo) {
  RoundsWorld world(2, {Spec(MakeRing()), Spec(MakeEveryone())});
  Contribution second;
  second.spec = 1;
  world.Contribute(1, 9, 3.5f, second);
  ASSERT_FALSE(world.underway.empty());
  for (const RoundsWorld::Message& message : world.underway) {
    const v1::ShardHeader& header = message.frame.header;
    EXPECT_EQ(header.kind(), v1::FRAME_KIND_REDUCE);
    EXPECT_EQ(header.lane(), v1::ROUND_LANE_ALGORITHM);
    EXPECT_EQ(header.round(), 9 * 2 + 1);  // the second of two
    EXPECT_FALSE(Admit(world.node(2).identity, header).has_value());
    EXPECT_EQ(message.frame.payload.size(), header.elements() * sizeof(float));
  }
}

TEST(RoundsActorTest, TheRoundsOfTwoSpecsDoNotMeet) {
  RoundsWorld world(2, {Spec(MakeEveryone()), Spec(MakeEveryone())});
  Contribution second;
  second.spec = 1;
  world.Contribute(1, 1, 10);
  world.Contribute(2, 1, 100, second);
  world.Settle();
  EXPECT_TRUE(world.node(1).mixed.empty());
  EXPECT_TRUE(world.node(2).mixed.empty());
  world.Contribute(2, 1, 20);
  world.Contribute(1, 1, 200, second);
  world.Settle();
  ASSERT_EQ(world.node(1).mixed.size(), 2);
  for (const MixedRound& mixed : world.node(1).mixed) {
    EXPECT_EQ(mixed.mixed.floats()[0], mixed.spec == 0 ? 15 : 150);
  }
}

TEST(RoundsActorTest, WhoIsAheadIsWaitedForByNobodyAndItsFramesWait) {
  RoundsWorld world(2, {Spec(MakeEveryone())});
  world.Contribute(1, 1, 1);
  world.Settle();
  EXPECT_TRUE(world.node(2).refused.empty());
  world.Contribute(2, 1, 3);
  world.Settle();
  EXPECT_EQ(world.MixOf(1), 2);
  EXPECT_EQ(world.MixOf(2), 2);
  // At once, not after the retry.
  EXPECT_EQ(world.status(1).round_seconds(), 0);
}

TEST(RoundsActorTest, EarlyFramesAreBoundedAndTheOldestGiveWay) {
  for (const bool by_bytes : {false, true}) {
    RoundsOptions options;
    // Two frames; or the bytes of the first round's.
    by_bytes ? options.early_bytes = RoundsWorld::kElements * sizeof(float) : options.early_frames = 2;
    RoundsWorld world(2, {Spec(MakeRing())}, options);
    world.Contribute(1, 1, 1);  // two frames, two shards
    std::deque<RoundsWorld::Message> first = world.underway;
    world.Settle();
    // The same again as if from later rounds pushes them out.
    for (RoundsWorld::Message message : first) {
      message.frame.header.set_round(message.frame.header.round() + 1);
      world.Deliver(std::move(message));
    }
    world.Contribute(2, 1, 3);
    world.Settle();
    // Peer 2 lacks the frames of the first round, asks for them at its retry and gets them.
    EXPECT_TRUE(world.node(2).mixed.empty());
    world.RunFor(absl::Seconds(1));
    ASSERT_EQ(world.node(2).mixed.size(), 1);
    EXPECT_EQ(world.status(2).shards_missed(), 0);
  }
}

TEST(RoundsActorTest, TheLastToBeginHasKeptWhatEverybodySentIt) {
  RoundsOptions options;
  options.early_frames = 2;
  constexpr uint64_t kPeers = 7;
  RoundsWorld world(kPeers, {Spec(MakeEveryone())}, options);
  // Each is the owner of something in one of so many rounds.
  for (uint64_t step = 1; step <= 20; ++step) {
    for (uint64_t id = 1; id <= kPeers; ++id) {
      world.Contribute(id, step, static_cast<float>(id));
      world.Settle();
    }
    for (uint64_t id = 1; id <= kPeers; ++id) {
      ASSERT_EQ(world.node(id).mixed.size(), step) << "no time has passed, so nothing is sent again";
      EXPECT_EQ(world.MixOf(id), 4);
    }
  }
}

TEST(RoundsActorTest, LossAndRepetitionOnlyCostTime) {
  RoundsOptions options;
  // Patient enough for what is lost several times.
  options.timing.floor = options.timing.ceiling;
  options.min_retry = absl::Milliseconds(50);
  for (const bool ring : {false, true}) {
    RoundsWorld world(3, {Spec(ring ? MakeRing() : MakeEveryone())}, options);
    Random random(1);
    world.lost = [&](const RoundsWorld::Message&) { return random.UniformInt(4) == 0; };
    for (uint64_t step = 1; step <= 5; ++step) {
      for (uint64_t id = 1; id <= 3; ++id) world.Contribute(id, step, static_cast<float>(id));
      // Everything that is not lost comes twice.
      const std::deque<RoundsWorld::Message> copies = world.underway;
      world.underway.insert(world.underway.end(), copies.begin(), copies.end());
      world.RunFor(absl::Seconds(19));
      for (uint64_t id = 1; id <= 3; ++id) {
        ASSERT_EQ(world.node(id).mixed.size(), step);
        EXPECT_NEAR(world.MixOf(id), 2, 1e-6);
        EXPECT_EQ(world.status(id).shards_missed(), 0);
      }
    }
  }
}

TEST(RoundsActorTest, AMemberThatDiesInARoundDelaysNobody) {
  RoundsWorld world(3, {Spec(MakeEveryone())});
  world.lost = [](const RoundsWorld::Message& message) { return message.to == PeerId(3); };
  world.Contribute(1, 1, 1);
  world.Contribute(2, 1, 2);
  world.Settle();
  EXPECT_TRUE(world.node(1).mixed.empty());
  world.SetMembers(1, {2});
  world.SetMembers(2, {1});
  world.Settle();
  ASSERT_EQ(world.node(1).mixed.size(), 1);
  EXPECT_EQ(world.MixOf(1), 1.5f);
  EXPECT_EQ(world.MixOf(2), 1.5f);
}

TEST(RoundsActorTest, NothingLastsBeyondTheDeadline) {
  RoundsOptions options;
  options.timing.ceiling = absl::Seconds(3);
  for (const bool ring : {false, true}) {
    RoundsWorld world(2, {Spec(ring ? MakeRing() : MakeEveryone())}, options);
    world.lost = [](const RoundsWorld::Message&) { return true; };
    world.Contribute(1, 1, 7);
    world.RunFor(absl::Milliseconds(2900));
    // What it owns itself is closed earlier.
    EXPECT_TRUE(!ring || world.node(1).mixed.empty());
    world.RunFor(absl::Milliseconds(200));
    ASSERT_EQ(world.node(1).mixed.size(), 1);
    EXPECT_EQ(world.MixOf(1), 7);
    EXPECT_EQ(world.status(1).rounds_partial(), 1);
  }
}

TEST(RoundsActorTest, ALargeModelIsGivenTheTimeThatItsTransfersTake) {
  RoundsWorld world(2, {Spec(MakeRing())});
  constexpr size_t kElements = 1'250'000;
  RoundsWorld::Node& node = world.node(1);
  node.identity.shards = ShardMap{kElements, kElements};
  node.actor = std::make_unique<RoundsActor>(
      RoundsActor::Deps{&world.executor, &node, &world.pool,
                        [&](MixedRound mixed) { node.mixed.push_back(std::move(mixed)); }},
      node.identity, std::vector<RoundSpec>{Spec(MakeRing())}, 5, RoundsOptions());
  world.SetMembers(1, {2});
  size_t sent = 0;
  world.lost = [&](const RoundsWorld::Message&) { return ++sent > 0; };
  Contribution contribution;
  contribution.step = 1;
  contribution.values = Bytes(std::vector<float>(kElements, 1.0f));
  world.executor.Do([&] { node.actor->OnContribution(contribution); });
  world.Settle();
  // 5 MB out and 5 MB in: 8 s at 10 Mbit/s.
  const size_t at_once = sent;
  EXPECT_GT(at_once, 0u);
  world.RunFor(absl::Seconds(7.9));
  EXPECT_EQ(sent, at_once) << "it is still on its way";
  world.RunFor(absl::Seconds(0.2));
  EXPECT_GT(sent, at_once);
  world.RunFor(absl::Seconds(27.8));
  EXPECT_TRUE(node.mixed.empty());
  world.executor.Do([&] {
    const v1::EffectiveValue value = node.actor->EffectiveValues().at(0);
    EXPECT_EQ(value.seconds(), 36);
    EXPECT_EQ(value.source(), "20s: nothing measured yet; and 2 x (8s for 10.0 MB at 1.2 MB/s, assumed)");
  });
  world.RunFor(absl::Seconds(0.2));
  EXPECT_EQ(node.mixed.size(), 1u);
}

TEST(RoundsActorTest, AMemberThatFinishedRefusesTheNextRoundAndNobodyWaitsForIt) {
  RoundsWorld world(2, {Spec(MakeRing())});
  world.Round(1);
  world.executor.Do([&] { world.node(2).actor->SetFinished(); });
  world.Contribute(1, 2, 1);
  world.RunFor(absl::Seconds(1));
  ASSERT_EQ(world.node(1).mixed.size(), 2);
  EXPECT_EQ(world.MixOf(1), 1);
  EXPECT_EQ(world.node(2).refused.back(), v1::REFUSAL_REASON_NOT_TRAINING);
  // It does not make us leave out rounds of our own.
  world.SetMembers(1, {});
  world.Contribute(1, 3, 1);
  EXPECT_EQ(world.node(1).mixed.back().number, 3);
}

TEST(RoundsActorTest, WhoSaidThatItTakesPartNoMoreIsNotAskedInTheNextRound) {
  RoundsWorld world(2, {Spec(MakeEveryone())});
  world.Round(1);
  world.executor.Do([&] { world.node(2).actor->SetFinished(); });
  for (uint64_t step = 2; step <= 4; ++step) {
    world.Contribute(1, step, 1);
    world.RunFor(absl::Seconds(2));
  }
  ASSERT_EQ(world.node(1).mixed.size(), 4);
  EXPECT_LE(world.node(2).refused.size(), 2);  // once, shard by shard
  // Who comes back is somebody who may train.
  world.SetMembers(1, {});
  world.SetMembers(1, {2});
  world.Contribute(1, 5, 1);
  EXPECT_TRUE(world.node(1).mixed.size() == 4 || world.node(2).refused.size() > 2);
}

TEST(RoundsActorTest, AFinishedMemberIsWaitedForInRoundsThatStepsCountButNotInTheBackground) {
  for (const bool background : {false, true}) {
    RoundSpec spec = Spec(MakeRing());
    if (background) spec.delay = RoundSpec::kBackground;
    RoundsWorld world(2, {spec});
    world.finished = {2};
    world.SetMembers(1, {2});
    world.Contribute(1, 4, 1);
    EXPECT_EQ(world.node(1).mixed.size(), background ? 1 : 0);
  }
}

TEST(RoundsActorTest, TheFinalMergeTakesTheFinishedAndWaitsForTheSlow) {
  RoundSpec spec = Spec(MakeEveryone());
  spec.final_merge = true;
  RoundsWorld world(3, {spec});
  for (const uint64_t id : {1, 2}) {
    world.executor.Do([&] { world.node(id).actor->SetFinished(); });
    world.Contribute(id, 1, static_cast<float>(id));
  }
  world.RunFor(absl::Seconds(40));  // longer than any other round may last
  EXPECT_TRUE(world.node(1).mixed.empty());
  world.executor.Do([&] { world.node(3).actor->SetFinished(); });
  world.Contribute(3, 1, 3);
  world.RunFor(absl::Seconds(3));
  for (uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(world.node(id).mixed.size(), 1);
    EXPECT_EQ(world.MixOf(id), 2);
  }
}

TEST(RoundsActorTest, AFinishedMemberStillAnswersThoseWhoAreBehind) {
  RoundsWorld world(2, {Spec(MakeEveryone())});
  world.lost = [](const RoundsWorld::Message& message) {
    return message.frame.header.kind() == v1::FRAME_KIND_AVERAGE;
  };
  world.Round(1);
  world.lost = nullptr;
  for (uint64_t id = 1; id <= 2; ++id) {
    if (!world.node(id).mixed.empty()) {
      world.executor.Do([&] { world.node(id).actor->SetFinished(); });
    }
  }
  world.RunFor(absl::Seconds(2));
  EXPECT_EQ(world.MixOf(1), 1.5f);
  EXPECT_EQ(world.MixOf(2), 1.5f);
}

TEST(RoundsActorTest, ALaggardIsRefusedOnceAndGoesOnFromWhereTheOthersAre) {
  RoundsWorld world(3, {Spec(MakeEveryone())});
  world.SetMembers(1, {2});
  world.SetMembers(2, {1});
  for (uint64_t step = 1; step <= 30; ++step) {
    world.Contribute(1, step, 1);
    world.Contribute(2, step, 2);
    world.Settle();
  }
  world.Introduce(1);
  world.Introduce(2);
  world.Contribute(3, 1, 3);
  world.RunFor(absl::Seconds(1));
  ASSERT_EQ(world.node(3).mixed.size(), 1);  // without the others, but without waiting for a deadline
  world.Contribute(3, 2, 3);
  world.RunFor(absl::Seconds(1));
  ASSERT_EQ(world.node(3).mixed.size(), 2);
  EXPECT_EQ(world.node(3).mixed.back().number, 30);
  // From here on everybody is in the same round.
  for (const uint64_t step : {31, 32}) {
    world.Contribute(1, step, 1);
    world.Contribute(2, step, 2);
    world.Contribute(3, step - 28, 3);
    world.Settle();
    for (uint64_t id = 1; id <= 3; ++id) {
      EXPECT_EQ(world.node(id).mixed.back().number, step);
      EXPECT_EQ(world.MixOf(id), 2);
    }
  }
}

TEST(RoundsActorTest, InADirectedTopologyWhoIsAheadByAFewRoundsMakesNobodySkip) {
  // One peer sends to the next and waits for the one before: 1 and 2 never wait for 3's progress at once.
  RoundsWorld world(4, {Spec(MakeOnePeerExponential())});
  std::map<uint64_t, uint64_t> step;
  for (uint64_t id = 1; id <= 4; ++id) world.Contribute(id, ++step[id], 1);
  // The first goes on whenever it can; the others only every fourth time.
  for (int turn = 0; turn < 80; ++turn) {
    world.RunFor(absl::Milliseconds(50));
    for (uint64_t id = 1; id <= 4; ++id) {
      const bool idle = world.node(id).mixed.size() == step[id];
      if (idle && (id == 1 || turn % 4 == 0)) world.Contribute(id, ++step[id], 1);
    }
  }
  for (uint64_t id = 1; id <= 4; ++id) {
    for (size_t i = 0; i < world.node(id).mixed.size(); ++i) {
      EXPECT_EQ(world.node(id).mixed[i].number, i + 1) << "peer " << id;
    }
    EXPECT_EQ(world.status(id).shards_missed(), 0);
    EXPECT_GT(step[id], 10);
  }
}

TEST(RoundsActorTest, AFrameWithAnAbsurdRoundNumberChangesNothing) {
  for (const bool refusal : {false, true}) {
    RoundsWorld world(2, {Spec(MakeRing())});
    world.Round(1);
    world.Contribute(2, 2, 2);
    RoundsWorld::Message absurd = world.underway.front();
    if (refusal) {
      absurd.frame = MakeRefusal(absurd.frame.header, v1::REFUSAL_REASON_UNKNOWN_ROUND, "");
      absurd.frame.header.set_current_round(uint64_t{1} << 60);
    }
    absurd.frame.header.set_round(uint64_t{1} << 60);
    world.Deliver(std::move(absurd));
    world.Contribute(1, 2, 1);
    world.Settle();
    EXPECT_EQ(world.node(1).mixed.back().number, 2);
    EXPECT_EQ(world.MixOf(1), 1.5f);
    world.Round(3);
    EXPECT_EQ(world.node(1).mixed.back().number, 3);
  }
}

TEST(RoundsActorTest, WithoutRoundsEveryFrameIsRefused) {
  RoundsWorld world(2, {Spec(MakeRing())});
  world.Contribute(1, 1, 1);
  RoundsWorld other(2, {});
  other.Deliver(world.underway.front());
  EXPECT_EQ(other.node(2).refused.back(), v1::REFUSAL_REASON_BAD_REQUEST);
}

TEST(RoundsActorTest, BackgroundRoundsAreNumberedOneAfterTheOtherWhateverTheSteps) {
  RoundSpec spec = Spec(MakeEveryone(), 4);
  spec.delay = RoundSpec::kBackground;
  RoundsWorld world(2, {spec});
  // The peers leave out different steps while a round is under way.
  const uint64_t steps[][2] = {{4, 4}, {8, 12}, {24, 16}, {28, 40}};
  for (const auto& pair : steps) {
    world.Contribute(1, pair[0], 1);
    world.Contribute(2, pair[1], 3);
    world.Settle();
    EXPECT_EQ(world.MixOf(1), 2);
    EXPECT_EQ(world.MixOf(2), 2);
  }
  EXPECT_EQ(world.node(1).mixed.back().number, 4);
  EXPECT_EQ(world.node(2).mixed.back().number, 4);
}

TEST(RoundsActorTest, ARoundIsNumberedSoThatEverybodySpeaksOfTheSameFragment) {
  RoundSpec spec = Spec(MakeEveryone());
  spec.fragments = 4;
  RoundsWorld world(1, {spec});
  Contribution more;
  more.fragment = 3;
  world.Contribute(1, 5, 1, more);
  EXPECT_EQ(world.node(1).mixed.back().number % 4, 3);
  EXPECT_GE(world.node(1).mixed.back().number, 5);
}

TEST(RoundsActorTest, WhoeverIsNotKnownYetIsAnsweredOnItsOwnWay) {
  RoundsWorld world(2, {Spec(MakeRing())});
  world.SetMembers(1, {});  // 1 has not heard of 2
  world.Contribute(1, 1, 1);
  EXPECT_EQ(world.MixOf(1), 1);
  world.Contribute(2, 1, 3);
  world.RunFor(absl::Seconds(1));
  ASSERT_EQ(world.node(2).mixed.size(), 1);
  EXPECT_EQ(world.MixOf(2), 2);
}

TEST(RoundsActorTest, AfterStopNothingMovesAndTheTrainerIsNotCalled) {
  RoundsWorld world(2, {Spec(MakeEveryone())});
  world.Contribute(1, 1, 1);
  world.executor.Do([&] { world.node(1).actor->Stop(); });
  EXPECT_EQ(world.executor.timers(), 0);
  world.Contribute(2, 1, 2);
  world.Settle();
  world.Contribute(1, 2, 1);
  EXPECT_TRUE(world.node(1).mixed.empty());
  EXPECT_EQ(world.node(1).refused.back(), v1::REFUSAL_REASON_NOT_TRAINING);
  // The other does not wait for it.
  ASSERT_EQ(world.node(2).mixed.size(), 1);
}

RoundSpec Adaptive() {
  RoundSpec spec = Spec(MakeRing());
  spec.global_every = 4;
  spec.global_exponent = 1;
  return spec;
}

void RoundWithLoss(RoundsWorld& world, uint64_t step, double loss) {
  Contribution more;
  // Losses differ from peer to peer; what counts is their mean.
  for (auto& [id, node] : world.nodes) {
    more.loss = loss * static_cast<double>(id.value());
    world.Contribute(id.value(), step, static_cast<float>(id.value()), more);
  }
  world.Settle();
}

TEST(RoundsActorTest, EverybodyComputesTheSameAdaptivePeriodAndANewcomerTakesItOver) {
  RoundsWorld world(3, {Adaptive()});
  uint64_t step = 0;
  std::vector<uint64_t> exact;
  auto run = [&](uint64_t rounds, double loss) {
    exact.clear();
    for (uint64_t i = 0; i < rounds; ++i) {
      RoundWithLoss(world, ++step, loss);
      const bool all_equal = world.MixOf(1) == world.MixOf(2) && world.MixOf(1) == world.MixOf(3);
      if (all_equal) exact.push_back(step);
      for (auto& [id, node] : world.nodes) {
        ASSERT_EQ(node->mixed.back().number, step);
        EXPECT_TRUE(node->refused.empty()) << id.ToString() << " in round " << step;
      }
    }
  };
  run(40, 1);
  const uint64_t usual = exact.size();
  run(40, 0.25);  // the loss falls to a quarter: four times as rarely
  EXPECT_LT(exact.size(), usual / 2);
  EXPECT_GE(exact.size(), 2);
  world.Join(4);
  run(80, 0.25);
  EXPECT_GE(exact.size(), 2);
  // The newcomer is in the exact means: all four leave with the same.
  RoundsWorld::Node& newcomer = world.node(4);
  uint64_t with_it = 0;
  for (const uint64_t round : exact) {
    const size_t from_behind = step - round;
    const auto& mixed = newcomer.mixed[newcomer.mixed.size() - 1 - from_behind];
    const auto& other = world.node(1).mixed[world.node(1).mixed.size() - 1 - from_behind];
    with_it += mixed.mixed.floats()[0] == other.mixed.floats()[0];
  }
  EXPECT_GE(with_it, exact.size() - 1);
}

}  // namespace
}  // namespace starling
