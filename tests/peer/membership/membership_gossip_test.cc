// What is passed on, to whom, and how often.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "tests/peer/membership/membership_world.h"

namespace starling {
namespace {

class MembershipGossipTest : public MembershipWorld {};

int TimesTold(const std::vector<v1::Member>& rows, uint64_t id) {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(), [&](const v1::Member& member) {
    return member.peer_id() == id;
  }));
}

TEST_F(MembershipGossipTest, AFewOthersAreCalledEachGossipInterval) {
  for (uint64_t id = 1; id <= 8; ++id) Meet(Peer(id));
  Pass(absl::Seconds(5));
  const std::vector<PingAction> made = Pass(10 * options_.gossip_interval);
  EXPECT_NEAR(Count(made, Purpose::kGossip), 30, 3);
}

TEST_F(MembershipGossipTest, FreshNewsDoesNotWaitForTheNextInterval) {
  for (uint64_t id = 1; id <= 8; ++id) Meet(Peer(id));
  Pass(absl::Seconds(5));
  Await(Purpose::kGossip);
  core_.OnGoodbye(now_, Peer(1), "SIGTERM");
  const std::vector<PingAction> made = Pass(options_.gossip_interval / 2);
  EXPECT_GE(Count(made, Purpose::kGossip), 2);
}

TEST_F(MembershipGossipTest, NewsIsToldEightTimesInASmallSwarmAndThenDropped) {
  options_.members_per_message = 1;  // so that nothing else fits
  Membership core(options_, Peer(kSelf), RunId(kRun), now_, Random(1));
  for (const uint64_t id : {1, 2}) {
    core.OnPing(now_, PingFrom(Peer(id)));
    core.OnAnswer(now_, core.TakePings().at(0), PongFrom(Peer(id)), absl::Milliseconds(1));
  }
  while (core.Status(now_).rumours() > 0) core.MembersToSend(PeerId(9));
  core.OnGoodbye(now_, Peer(1), "SIGTERM");
  EXPECT_EQ(core.Status(now_).rumours(), 1);
  int times = 0;
  while (core.Status(now_).rumours() > 0 && times < 100) {
    const std::vector<v1::Member> rows = core.MembersToSend(PeerId(2));
    ASSERT_EQ(rows.size(), 1);
    EXPECT_EQ(rows[0].peer_id(), 1);
    EXPECT_EQ(rows[0].state(), v1::PEER_STATE_LEFT);
    ++times;
  }
  EXPECT_EQ(times, 8);
}

TEST_F(MembershipGossipTest, MessagesWithLittleNewsAreFilledWithRowsInTurnButNotWithCandidates) {
  for (uint64_t id = 1; id <= 12; ++id) Meet(Peer(id));
  while (core_.Status(now_).rumours() > 0) core_.MembersToSend(PeerId(99));
  std::map<uint64_t, int> told;
  for (int message = 0; message < 4; ++message) {
    const std::vector<v1::Member> rows = core_.MembersToSend(PeerId(99));
    EXPECT_EQ(rows.size(), 6);
    for (const v1::Member& member : rows) ++told[member.peer_id()];
  }
  ASSERT_EQ(told.size(), 12);
  for (const auto& [id, count] : told) EXPECT_EQ(count, 2) << id;
  core_.OnPing(now_, PingFrom(Peer(50)));
  EXPECT_EQ(TimesTold(core_.Table(), 50), 0);
}

TEST_F(MembershipGossipTest, WhoeverIsAccusedHearsOfItFirst) {
  for (uint64_t id = 1; id <= 3; ++id) Meet(Peer(id));
  core_.OnPing(now_, PingFrom(Peer(1), {Suspected(Peer(2), {1, 3})}));
  for (int message = 0; message < 30; ++message) {
    const v1::Member first = core_.MembersToSend(PeerId(2)).at(0);
    EXPECT_EQ(first.peer_id(), 2);
    EXPECT_EQ(first.state(), v1::PEER_STATE_SUSPECT);
    EXPECT_EQ(first.suspecters_size(), 2);
  }
}

TEST_F(MembershipGossipTest, TablesAreComparedNowAndThenAndShowEverybodyOnce) {
  Meet(Peer(1));
  Meet(Peer(2));
  core_.OnGoodbye(now_, Peer(2), "");
  const int syncs = Count(Pass(10 * options_.sync_interval), Purpose::kSync);
  EXPECT_NEAR(syncs, 10, 1);
  std::set<uint64_t> ids;
  for (const v1::Member& member : core_.Table()) EXPECT_TRUE(ids.insert(member.peer_id()).second);
  EXPECT_EQ(ids, (std::set<uint64_t>{1, 2, kSelf}));
}

TEST_F(MembershipGossipTest, ATableIntroducesWhomWeDoNotKnow) {
  up_ = {Peer(1), Peer(2), Peer(3)};
  v1::ControlRequest request = PingFrom(Peer(1));
  for (const uint64_t id : {1, 2, 3}) *request.mutable_sync()->add_members() = Peer(id);
  core_.OnSync(now_, request);
  RunCalls();
  EXPECT_EQ(core_.reachable(), 4);
}

TEST_F(MembershipGossipTest, OwnNewsSpreads) {
  Meet(Peer(1));
  while (core_.Status(now_).rumours() > 0) core_.MembersToSend(PeerId(99));
  core_.SetLocal(5, v1::PEER_STATE_JOINING);
  EXPECT_EQ(core_.Status(now_).rumours(), 0) << "steps are no news";
  core_.SetLocal(5, v1::PEER_STATE_ALIVE);
  EXPECT_EQ(core_.self().version(), 1);
  EXPECT_EQ(TimesTold(core_.MembersToSend(PeerId(1)), kSelf), 1);
}

}  // namespace
}  // namespace starling
