#include "peer/swarm_view.h"

#include <utility>

#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr uint64_t kTotalSteps = 100;

MemberView Other(uint64_t id, v1::PeerState state, uint64_t step, bool centre = false) {
  MemberView other;
  other.member.set_peer_id(id);
  other.member.set_address("peer" + std::to_string(id));
  other.member.set_state(state);
  other.member.set_step(step);
  other.member.set_centre(centre);
  other.member.set_loss(static_cast<double>(id) / 10);
  other.straggler = static_cast<double>(id);
  other.rtt = absl::Milliseconds(id);
  other.step_time = absl::Seconds(id);
  return other;
}

SwarmView Read(std::vector<MemberView> others, uint64_t total_steps = kTotalSteps) {
  MembershipView view;
  view.others = std::move(others);
  return ReadView(view, PeerId(3), total_steps);
}

TEST(SwarmViewTest, OnlyTheLivingAreChosen) {
  const SwarmView swarm = Read({Other(1, v1::PEER_STATE_SUSPECT, 50), Other(2, v1::PEER_STATE_ALIVE, 7),
                                Other(4, v1::PEER_STATE_JOINING, 90), Other(5, v1::PEER_STATE_DEAD, 80),
                                Other(6, v1::PEER_STATE_LEFT, 99)});
  ASSERT_EQ(swarm.training.size(), 1u);
  EXPECT_EQ(swarm.training.at(PeerId(2)).address, "peer2");
  EXPECT_EQ(swarm.contacts.at(PeerId(2)).loss, 0.2);
  EXPECT_EQ(swarm.contacts.at(PeerId(2)).straggler, 2);
  EXPECT_EQ(swarm.contacts.at(PeerId(2)).round_trip, absl::Milliseconds(2));
  EXPECT_EQ(swarm.contacts.at(PeerId(2)).step_time, absl::Seconds(2));
  EXPECT_EQ(swarm.members.size(), 1u);
  EXPECT_EQ(swarm.farthest_step, 7u);
  EXPECT_EQ(swarm.silent, (std::set<PeerId>{PeerId(1), PeerId(5)}));
}

TEST(SwarmViewTest, ACentreIsMetInExchangesButMakesNoRounds) {
  const SwarmView swarm = Read({Other(2, v1::PEER_STATE_ALIVE, 7, true)});
  EXPECT_TRUE(swarm.contacts.at(PeerId(2)).centre);
  EXPECT_EQ(swarm.training.count(PeerId(2)), 1u);
  EXPECT_TRUE(swarm.workers.empty());
  EXPECT_TRUE(swarm.members.empty());
  EXPECT_EQ(swarm.still_training, 0u);
}

TEST(SwarmViewTest, WhoHasMadeAllStepsIsAWorkerThatTrainsNoMore) {
  const SwarmView swarm = Read({Other(1, v1::PEER_STATE_ALIVE, kTotalSteps),
                                Other(2, v1::PEER_STATE_ALIVE, kTotalSteps - 1)});
  EXPECT_TRUE(swarm.members.at(PeerId(1)).finished);
  EXPECT_FALSE(swarm.members.at(PeerId(2)).finished);
  EXPECT_EQ(swarm.workers.size(), 2u);
  EXPECT_EQ(swarm.still_training, 1u);
}

TEST(SwarmViewTest, InARunWithoutEndNobodyFinishes) {
  EXPECT_EQ(Read({Other(1, v1::PEER_STATE_ALIVE, 1'000'000)}, 0).still_training, 1u);
}

TEST(SwarmViewTest, TheRankCountsLowerIdsThatStillTrain) {
  const SwarmView swarm = Read({Other(1, v1::PEER_STATE_ALIVE, kTotalSteps), Other(2, v1::PEER_STATE_ALIVE, 1),
                                Other(9, v1::PEER_STATE_ALIVE, 1)});
  EXPECT_EQ(swarm.rank, 1u);
  EXPECT_EQ(swarm.still_training, 2u);
}

}  // namespace
}  // namespace starling
