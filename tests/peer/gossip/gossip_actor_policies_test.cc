// Exchanges of the rules that carry more than values: push-sum weight, staleness, tethers.

#include <limits>

#include "gtest/gtest.h"
#include "peer/gossip/gossip_actor.h"
#include "tests/peer/gossip/gossip_world.h"

namespace starling {
namespace {

using Masses = std::vector<double>;

const Masses kWhole(GossipWorld::kShards, 1.0);
const Masses kHalf(GossipWorld::kShards, 0.5);
const Masses kMore(GossipWorld::kShards, 1.5);

double MassOf(GossipWorld& world) {
  double mass = 0;
  for (auto& [id, node] : world.nodes) {
    for (const double each : node->owner.masses) mass += each;
  }
  return mass;
}

TEST(GossipActorPoliciesTest, APushCarriesHalfOfTheMassAndTheWeightedSumStays) {
  GossipWorld world(2, "gosgd");
  world.StartExchange(1);
  EXPECT_EQ(world.node(1).owner.masses, kHalf);
  for (const GossipWorld::Message& message : world.underway) {
    EXPECT_EQ(message.frame.header.mass(), 0.5);
    EXPECT_FALSE(message.frame.payload.empty());
  }
  world.Settle();
  EXPECT_EQ(world.node(1).owner.masses, kHalf);
  EXPECT_EQ(world.node(2).owner.masses, kMore);
  // 2 had 4 and takes a third of the way to 1.
  for (const float value : world.node(2).owner.values) EXPECT_NEAR(value, 3, 1e-6);
  for (const float value : world.node(1).owner.values) EXPECT_EQ(value, 1);
  EXPECT_EQ(world.status(1).exchanges_committed(), 1);
}

TEST(GossipActorPoliciesTest, ARepeatedPushIsAcknowledgedAgainAndCountsOnce) {
  GossipWorld world(2, "gosgd");
  world.StartExchange(1);
  const std::vector<GossipWorld::Message> requests(world.underway.begin(), world.underway.end());
  world.Settle();
  world.DeliverAll(requests);
  world.Settle();
  EXPECT_EQ(world.node(2).owner.masses, kMore);
  EXPECT_EQ(MassOf(world), 2 * GossipWorld::kShards);
}

TEST(GossipActorPoliciesTest, WhoeverHasProbablyStoppedIsChosenLessOftenButNotNever) {
  GossipWorld world(5);
  std::map<PeerId, Contact> contacts = world.Others(PeerId(1));
  contacts.at(PeerId(2)).straggler = 9;
  contacts.at(PeerId(3)).straggler = 7;
  world.SetCandidates(1, contacts);
  std::map<std::string, int> chosen;
  for (int exchange = 0; exchange < 2000; ++exchange) {
    world.StartExchange(1);
    ++chosen[GossipWorld::AddressOf(world.underway.front().to)];
    world.Settle();
  }
  EXPECT_NEAR(chosen["peer2:1"], 125, 50) << "one in four of one in four";
  EXPECT_NEAR(chosen["peer3:1"], 625, 90);
}

TEST(GossipActorPoliciesTest, MassThatIsRefusedComesBack) {
  GossipWorld world(2, "gosgd");
  world.executor.Do([&] { world.node(2).actor->SetAccepting(false); });
  world.StartExchange(1);
  world.Settle();
  EXPECT_EQ(world.node(1).owner.masses, kWhole);
  EXPECT_EQ(world.node(2).owner.masses, kWhole);
  EXPECT_EQ(world.status(1).exchanges_failed(), 1);
}

TEST(GossipActorPoliciesTest, MassThatIsNeverAcknowledgedComesBackAtTheDeadlineAndWhenThePeerIsGone) {
  for (const bool gone : {false, true}) {
    GossipWorld world(2, "gosgd");
    world.StartExchange(1);
    world.underway.clear();
    if (gone) {
      world.SetCandidates(1, {});
    } else {
      world.executor.Advance(absl::Minutes(2));
    }
    EXPECT_EQ(world.node(1).owner.masses, kWhole) << gone;
    EXPECT_EQ(world.status(1).exchanges_failed(), 1);
  }
}

TEST(GossipActorPoliciesTest, OnlyTheShardsThatFailedGiveTheirMassBack) {
  GossipWorld world(2, "gosgd");
  world.StartExchange(1);
  world.underway.pop_back();
  world.Settle();
  world.executor.Do([&] { world.node(1).actor->SetCandidates({}); });
  world.executor.RunPosted();
  EXPECT_EQ(world.node(1).owner.masses, (Masses{0.5, 0.5, 1}));
  EXPECT_EQ(world.status(1).exchanges_partial(), 1);
  EXPECT_EQ(MassOf(world), 2 * GossipWorld::kShards);
}

TEST(GossipActorPoliciesTest, MassWhoseExchangeIsCalledOffIsPutBack) {
  GossipWorld world(2, "gosgd");
  world.Step(1);  // the snapshot is being taken
  world.SetCandidates(1, {});
  world.Boundary(1);
  EXPECT_TRUE(world.underway.empty());
  EXPECT_EQ(world.node(1).owner.masses, kWhole);
}

TEST(GossipActorPoliciesTest, OfTwoWhoAskEachOtherTheOneThatGivesWayKeepsItsMass) {
  GossipWorld world(2, "gosgd");
  world.StartExchange(1);
  world.StartExchange(2);
  world.Settle();
  EXPECT_EQ(world.node(1).owner.masses, kHalf);
  EXPECT_EQ(MassOf(world), 2 * GossipWorld::kShards);
}

TEST(GossipActorPoliciesTest, AWorkerThatHasTooLittleMassStartsNothing) {
  GossipWorld world(2, "gosgd");
  world.node(1).owner.too_light = true;
  world.StartExchange(1);
  EXPECT_TRUE(world.underway.empty());
  EXPECT_EQ(world.status(1).exchanges_started(), 0);
  world.node(1).owner.too_light = false;
  world.StartExchange(1);
  EXPECT_EQ(world.status(1).exchanges_started(), 1);
}

TEST(GossipActorPoliciesTest, WithoutRecreditLostMassStaysLost) {
  GossipWorld world(2, "gosgd");
  GossipWorld::Node& node = world.node(1);
  v1::AlgorithmConfig config;
  config.set_name("gosgd");
  for (const auto& [name, value] : {std::pair("p", 1.0), std::pair("recredit", 0.0)}) {
    v1::AlgorithmOption* option = config.add_options();
    option->set_name(name);
    option->set_value(value);
  }
  node.actor = std::make_unique<GossipActor>(&world.executor, &node, &node.owner, node.identity,
                                             *MakeAlgorithm(config), Random(1), GossipOptions());
  world.SetCandidates(1, world.Others(PeerId(1)));
  world.executor.Do([&] { node.actor->SetAccepting(true); });
  world.StartExchange(1);
  world.underway.clear();
  world.executor.Advance(absl::Minutes(2));
  EXPECT_EQ(node.owner.masses, kHalf);
}

TEST(GossipActorPoliciesTest, ARequestWithoutAProperMassIsRefusedAndChangesNothing) {
  for (const double mass : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()}) {
    GossipWorld world(2, "gosgd");
    world.StartExchange(1);
    std::vector<GossipWorld::Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
    for (GossipWorld::Message& request : requests) request.frame.header.set_mass(mass);
    world.DeliverAll(std::move(requests));
    world.Settle();
    EXPECT_EQ(world.node(2).refused,
              std::vector(GossipWorld::kShards, v1::REFUSAL_REASON_BAD_REQUEST));
    EXPECT_EQ(world.node(2).owner.masses, kWhole);
    EXPECT_EQ(world.node(2).owner.values[0], 4);
  }
}

TEST(GossipActorPoliciesTest, AnAcknowledgementThatCarriesValuesIsNone) {
  GossipWorld world(2, "gosgd");
  world.StartExchange(1);
  world.DeliverAll(world.Take(v1::FRAME_KIND_MIX_REQUEST));
  world.Boundary(2);
  std::vector<GossipWorld::Message> replies = world.Take(v1::FRAME_KIND_MIX_REPLY);
  ASSERT_EQ(replies.size(), GossipWorld::kShards);
  for (GossipWorld::Message& reply : replies) {
    EXPECT_TRUE(reply.frame.payload.empty());
    reply.frame.payload = BytesOf(std::vector<float>(reply.frame.header.elements(), 9));
  }
  world.DeliverAll(std::move(replies));
  world.Boundary(1);
  EXPECT_EQ(world.node(1).owner.commits, 0);
  EXPECT_EQ(world.node(1).owner.values[0], 1);
}

// A worker (1) and the centre (2).
struct CentreWorld : public GossipWorld {
  explicit CentreWorld(const std::string& algorithm) : GossipWorld(2, algorithm) {
    std::map<PeerId, Contact> contacts = Others(PeerId(1));
    contacts.at(PeerId(2)).centre = true;
    SetCandidates(1, contacts);
  }
};

TEST(GossipActorPoliciesTest, ARequestSaysHowStaleItsWorkerIs) {
  CentreWorld world("dynamic_easgd");
  world.StartExchange(1);
  for (const GossipWorld::Message& message : world.underway) {
    EXPECT_EQ(message.frame.header.staleness(), 0);
  }
  world.Settle();
  EXPECT_EQ(world.node(1).owner.last_terms.staleness, 0);
  // Cut off for long; then the centre is back.
  world.SetCandidates(1, {});
  for (int i = 0; i < 3; ++i) world.Step(1);
  std::map<PeerId, Contact> contacts = world.Others(PeerId(1));
  contacts.at(PeerId(2)).centre = true;
  world.SetCandidates(1, contacts);
  world.StartExchange(1);  // four steps after the last: between fresh and entirely stale
  for (const GossipWorld::Message& message : world.underway) {
    EXPECT_EQ(message.frame.header.staleness(), 0.5);
  }
  world.Settle();
  // Both sides weigh the same staleness.
  EXPECT_EQ(world.node(1).owner.last_terms.staleness, 0.5);
  EXPECT_EQ(world.node(2).owner.last_terms.staleness, 0.5);
}

TEST(GossipActorPoliciesTest, AStalenessThatIsNoneIsRefused) {
  for (const double staleness : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CentreWorld world("dynamic_easgd");
    world.StartExchange(1);
    std::vector<GossipWorld::Message> requests = world.Take(v1::FRAME_KIND_MIX_REQUEST);
    for (GossipWorld::Message& request : requests) request.frame.header.set_staleness(staleness);
    world.DeliverAll(std::move(requests));
    world.Settle();
    EXPECT_EQ(world.node(2).refused.size(), GossipWorld::kShards);
    EXPECT_EQ(world.node(2).owner.values[0], 4);
  }
}

// What peer 1 hears of the losses of 2 and 3.
std::map<PeerId, Contact> Losses(const GossipWorld& world, double of_2, double of_3) {
  std::map<PeerId, Contact> contacts = world.Others(PeerId(1));
  contacts.at(PeerId(2)).loss = of_2;
  contacts.at(PeerId(3)).loss = of_3;
  return contacts;
}

void StepWithLoss(GossipWorld& world, double loss) {
  world.executor.Do([&] { world.node(1).actor->OnStep(++world.node(1).step, loss); });
  world.executor.RunPosted();
  world.Boundary(1);
}

TEST(GossipActorPoliciesTest, TheLeaderIsAskedAndBecomesTheAnchorAndLeadingDropsAllAnchors) {
  GossipWorld world(3, "lsgd");
  world.SetCandidates(1, Losses(world, 0.5, 0.2));
  StepWithLoss(world, 0.9);
  ASSERT_EQ(world.underway.size(), GossipWorld::kShards);
  EXPECT_EQ(world.underway.front().to, PeerId(3));
  world.Settle();
  EXPECT_EQ(world.node(1).owner.commits, GossipWorld::kShards);
  EXPECT_EQ(world.node(1).owner.last_tether, 0);
  EXPECT_EQ(world.node(1).owner.anchors_dropped, 0);
  world.SetCandidates(1, Losses(world, 0.5, 0.6));
  StepWithLoss(world, 0.1);
  EXPECT_TRUE(world.underway.empty());
  EXPECT_EQ(world.node(1).owner.anchors_dropped, 1);
}

TEST(GossipActorPoliciesTest, WithoutTethersNobodysAnchorsAreDropped) {
  GossipWorld world(2);
  world.SetCandidates(1, {});
  world.StartExchange(1);
  EXPECT_EQ(world.node(1).owner.anchors_dropped, 0);
}

}  // namespace
}  // namespace starling
