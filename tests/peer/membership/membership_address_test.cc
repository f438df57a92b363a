// Who is where: members that move, and addresses that pass to others.

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "peer/membership/membership.h"
#include "tests/peer/membership/membership_world.h"

namespace starling {
namespace {

class MembershipAddressTest : public MembershipWorld {};

TEST_F(MembershipAddressTest, FailedCallToAnAddressThatAMemberHasLeftMeansNothing) {
  Meet(Peer(1));
  core_.OnPathBroken(now_, Peer(1).address());
  const std::vector<PingAction> to_the_old_address = core_.TakePings();
  ASSERT_EQ(to_the_old_address.size(), 1);
  v1::Member moved = Peer(1);
  moved.set_address("10.0.0.9:9999");
  core_.OnPing(now_, PingFrom(moved));
  core_.OnNoAnswer(now_, to_the_old_address[0], "connection refused");
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

// Seed 2462 of the soak: whoever had called it at its old address never passed anything on to it again.
TEST_F(MembershipAddressTest, WhoMovedWhileACallWasUnderWayIsCalledAtItsNewAddress) {
  Meet(Peer(1));
  lost_ = {Purpose::kProbe, Purpose::kSync};
  const PingAction to_the_old_address = Await(Purpose::kGossip);
  v1::Member moved = Peer(1, v1::PEER_STATE_ALIVE, 2);
  moved.set_address("10.0.0.9:9999");
  up_ = {moved};
  core_.OnPing(now_, PingFrom(moved));
  core_.OnNoAnswer(now_, to_the_old_address, "connection refused");
  EXPECT_GT(Count(Pass(2 * options_.gossip_interval), Purpose::kGossip), 0);
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipAddressTest, WhoeverAnswersAtAnAddressThatAMemberHasLeftSaysNothingOfIt) {
  Meet(Peer(1));
  const PingAction to_the_old_address = Await(Purpose::kGossip);
  v1::Member moved = Peer(1, v1::PEER_STATE_ALIVE, 2);
  moved.set_address("10.0.0.9:9999");
  v1::Member successor = Peer(2);
  successor.set_address(Peer(1).address());
  up_ = {moved, successor};
  core_.OnPing(now_, PingFrom(moved));
  Pass(2 * options_.ping_interval);
  ASSERT_EQ(State(1), v1::PEER_STATE_ALIVE);
  core_.OnAnswer(now_, to_the_old_address, PongFrom(successor), absl::Milliseconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE) << Reason(1);
}

TEST_F(MembershipAddressTest, AddressTakenOverByAnotherPeerEndsTheOldOne) {
  Meet(Peer(1));
  v1::Member successor = Peer(2);
  successor.set_address(Peer(1).address());
  up_ = {successor};
  Pass(absl::Seconds(2));
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(absl::EndsWith(Reason(1), "answers at its address")) << Reason(1);
  EXPECT_EQ(State(2), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(Count(Pass(3 * options_.heal_interval), Purpose::kRetry), 0)
      << "the old one is not called where the new one lives";
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
}

TEST_F(MembershipAddressTest, WhoReplacesAProcessLearnsFromItWhoElseThereIs) {
  up_ = {Peer(1)};
  core_.AddSeed(now_, "old:7000");
  const PingAction ping = Await(Purpose::kSeed);
  v1::Member predecessor = Peer(kSelf, v1::PEER_STATE_ALIVE, 0);
  predecessor.set_address("old:7000");
  v1::ControlResponse response = PongFrom(predecessor);
  *response.mutable_sync()->add_members() = predecessor;
  *response.mutable_sync()->add_members() = Peer(1);
  core_.OnAnswer(now_, ping, response, absl::Milliseconds(2));
  RunCalls();
  EXPECT_EQ(core_.superseded(), "");
  EXPECT_EQ(State(1), v1::PEER_STATE_ALIVE);
}

TEST_F(MembershipAddressTest, WhoIsSaidToBeWhereWeAreIsDeadAndNobodyWaitsForIt) {
  v1::Member predecessor = Peer(2);
  predecessor.set_address(Peer(kSelf).address());
  up_ = {Peer(1)};
  core_.OnPing(now_, PingFrom(Peer(1), {predecessor}));
  RunCalls();
  EXPECT_FALSE(core_.has_untried());
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(absl::EndsWith(Reason(2), "answers at its address")) << Reason(2);
  // Whoever still believes in it changes nothing, and if it contradicts, it is dead again.
  core_.OnPing(now_, PingFrom(Peer(1), {predecessor}));
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
  predecessor.set_refutations(1);
  core_.OnPing(now_, PingFrom(Peer(1), {predecessor}));
  RunCalls();
  Pass(2 * options_.ping_interval);
  EXPECT_FALSE(core_.has_untried());
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
}

}  // namespace
}  // namespace starling
