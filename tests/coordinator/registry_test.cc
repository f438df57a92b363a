#include "coordinator/registry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

v1::Member Peer(uint64_t id, uint64_t incarnation = 1) {
  v1::Member member;
  member.set_peer_id(id);
  member.set_incarnation(incarnation);
  member.set_address(absl::StrCat("127.0.0.1:", 7000 + id));
  member.set_state(v1::PEER_STATE_JOINING);
  return member;
}

class RegistryTest : public testing::Test {
 protected:
  // Past the grace of a fresh start, with the members given.
  void Populate(std::vector<uint64_t> ids) {
    now_ += 3 * options_.lease;
    for (uint64_t id : ids) ASSERT_TRUE(registry_.Join(now_, Peer(id)).ok());
    registry_.TakeChanges();
  }
  absl::Status Renew(uint64_t id, uint64_t incarnation = 1) {
    return registry_.Renew(now_, PeerId(id), incarnation, 0, v1::PEER_STATE_JOINING);
  }
  const v1::Member& Row(uint64_t id) { return *registry_.Find(PeerId(id)); }
  v1::PeerState State(uint64_t id) {
    const v1::Member* row = registry_.Find(PeerId(id));
    return row == nullptr ? v1::PEER_STATE_UNSPECIFIED : row->state();
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  RegistryOptions options_ = RegistryOptions::Lan();
  Registry registry_{options_, 7, now_};
};

TEST_F(RegistryTest, NewcomersTakeSlotsInOrder) {
  Populate({30, 10, 20});
  EXPECT_EQ(Row(30).slot(), 0);
  EXPECT_EQ(Row(10).slot(), 1);
  EXPECT_EQ(Row(20).slot(), 2);
  EXPECT_EQ(registry_.living(), 3);
}

v1::Member Centre(uint64_t id, uint64_t incarnation = 1) {
  v1::Member member = Peer(id, incarnation);
  member.set_centre(true);
  return member;
}

TEST_F(RegistryTest, ACentreTakesNoSlotFromAnybody) {
  Populate({1});
  ASSERT_TRUE(registry_.Join(now_, Centre(9)).ok());
  EXPECT_TRUE(Row(9).centre());
  ASSERT_TRUE(registry_.Join(now_, Peer(2)).ok());
  EXPECT_EQ(Row(1).slot(), 0);
  EXPECT_EQ(Row(2).slot(), 1);
  registry_.Leave(now_, PeerId(1), 1, "SIGTERM");
  ASSERT_TRUE(registry_.Join(now_, Peer(3)).ok());
  EXPECT_EQ(Row(3).slot(), 0);
  EXPECT_EQ(registry_.living(), 3);
}

TEST_F(RegistryTest, ACentreThatComesFirstLeavesSlotZeroToAWorker) {
  Populate({});
  ASSERT_TRUE(registry_.Join(now_, Centre(9)).ok());
  ASSERT_TRUE(registry_.Join(now_, Peer(1)).ok());
  EXPECT_EQ(Row(1).slot(), 0);
}

TEST_F(RegistryTest, ACentreThatIsStartedAgainAsAWorkerTakesAFreeSlot) {
  Populate({1});
  ASSERT_TRUE(registry_.Join(now_, Centre(9)).ok());
  ASSERT_TRUE(registry_.Join(now_, Peer(9, 2)).ok());
  EXPECT_FALSE(Row(9).centre());
  EXPECT_EQ(Row(9).slot(), 1);
  ASSERT_TRUE(registry_.Join(now_, Centre(9, 3)).ok());
  ASSERT_TRUE(registry_.Join(now_, Peer(2)).ok());
  EXPECT_EQ(Row(2).slot(), 1);
}

TEST_F(RegistryTest, NewcomerTakesLowestSlotOfTheDeparted) {
  Populate({1, 2, 3});
  registry_.Leave(now_, PeerId(2), 1, "SIGTERM");
  ASSERT_TRUE(registry_.Join(now_, Peer(4)).ok());
  EXPECT_EQ(Row(4).slot(), 1);
}

TEST_F(RegistryTest, MemberThatComesBackGetsItsSlotBackIfItIsFree) {
  Populate({1, 2, 3});
  registry_.Leave(now_, PeerId(1), 1, "");
  registry_.Leave(now_, PeerId(3), 1, "");
  ASSERT_TRUE(registry_.Join(now_, Peer(3, 2)).ok());
  EXPECT_EQ(Row(3).slot(), 2);
  ASSERT_TRUE(registry_.Join(now_, Peer(4)).ok());
  EXPECT_EQ(Row(4).slot(), 0);
  ASSERT_TRUE(registry_.Join(now_, Peer(1, 2)).ok());
  EXPECT_EQ(Row(1).slot(), 3) << "its own was taken meanwhile";
}

TEST_F(RegistryTest, MembersOfAnEarlierLifeKeepTheSlotsTheyHold) {
  v1::Member late = Peer(5);
  late.set_slot(3);
  ASSERT_TRUE(registry_.Join(now_, late).ok());
  EXPECT_EQ(Row(5).slot(), 3);
  v1::Member absurd = Peer(6);
  absurd.set_slot(4000000000u);
  ASSERT_TRUE(registry_.Join(now_, absurd).ok());
  EXPECT_EQ(Row(6).slot(), 0);
}

TEST_F(RegistryTest, WhoeverOthersSeeIsNotEvictedAndKeepsItsSlotButHoldsNoLease) {
  Populate({1, 2, 3});
  now_ += options_.lease;
  for (const uint64_t id : {2, 3}) ASSERT_TRUE(Renew(id).ok());
  registry_.SetMissing(PeerId(2), {PeerId(1)});
  registry_.SetMissing(PeerId(3), {});
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  EXPECT_EQ(Row(1).reason(), "no heartbeat for 5.0 s, but 1 other sees it");
  EXPECT_EQ(registry_.living(), 3);
  ASSERT_TRUE(registry_.Join(now_, Peer(4)).ok());
  EXPECT_EQ(Row(4).slot(), 3) << "its own is taken";
  const uint64_t epoch = registry_.epoch();
  registry_.Expire(now_);
  EXPECT_EQ(registry_.epoch(), epoch) << "that was said already";
  registry_.SetMissing(PeerId(3), {PeerId(9), PeerId(1)});
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD) << "now everybody misses it";
}

TEST_F(RegistryTest, WhoeverFindsTheWayBackHoldsItsLeaseAgain) {
  Populate({1, 2});
  now_ += options_.lease;
  ASSERT_TRUE(Renew(2).ok());
  registry_.SetMissing(PeerId(2), {});
  registry_.Expire(now_);
  ASSERT_EQ(State(1), v1::PEER_STATE_SUSPECT);
  ASSERT_TRUE(Renew(1).ok());
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
}

TEST_F(RegistryTest, OnlyThoseWhoHoldALeaseThemselvesHaveASay) {
  Populate({1, 2, 3});
  registry_.SetMissing(PeerId(2), {});
  registry_.SetMissing(PeerId(9), {});
  now_ += options_.lease;
  ASSERT_TRUE(Renew(3).ok());
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD) << "2 is silent itself, 3 does not look after others";
  EXPECT_EQ(State(2), v1::PEER_STATE_DEAD);
}

TEST_F(RegistryTest, SilenceOfALeaseMakesAMemberDeadWithTheReason) {
  Populate({1, 2});
  now_ += absl::Seconds(4.9);
  ASSERT_TRUE(Renew(2).ok());
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
  now_ += absl::Seconds(0.3);
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
  EXPECT_EQ(Row(1).reason(), "no heartbeat for 5.2 s");
  EXPECT_EQ(State(2), v1::PEER_STATE_JOINING);
  EXPECT_EQ(registry_.living(), 1);
}

TEST_F(RegistryTest, NobodyIsEvictedForTwoLeasesAfterAStart) {
  ASSERT_TRUE(registry_.Join(now_, Peer(1)).ok());
  registry_.Expire(now_ + 1.99 * options_.lease);
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
  registry_.Expire(now_ + 2 * options_.lease);
  EXPECT_EQ(State(1), v1::PEER_STATE_DEAD);
}

TEST_F(RegistryTest, HeartbeatWithoutLeaseIsNotFound) {
  Populate({1});
  EXPECT_TRUE(absl::IsNotFound(Renew(9)));
  EXPECT_TRUE(absl::IsNotFound(Renew(1, 2))) << "another incarnation";
  now_ += options_.lease;
  registry_.Expire(now_);
  EXPECT_TRUE(absl::IsNotFound(Renew(1))) << "expired";
}

TEST_F(RegistryTest, DeadMemberComesBackWithTheSameIncarnation) {
  Populate({1});
  now_ += options_.lease;
  registry_.Expire(now_);
  ASSERT_TRUE(registry_.Join(now_, Peer(1)).ok());
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
  EXPECT_EQ(Row(1).reason(), "came back");
}

TEST_F(RegistryTest, LeftIsFinalForItsIncarnation) {
  Populate({1});
  registry_.Leave(now_, PeerId(1), 1, "SIGTERM");
  EXPECT_EQ(Row(1).reason(), "left: SIGTERM");
  EXPECT_TRUE(absl::IsAlreadyExists(registry_.Join(now_, Peer(1))));
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  EXPECT_TRUE(registry_.Join(now_, Peer(1, 2)).ok());
}

TEST_F(RegistryTest, HigherIncarnationTakesTheRowAndTheSlot) {
  Populate({1, 2});
  v1::Member restarted = Peer(1, 5);
  restarted.set_address("127.0.0.1:9999");
  ASSERT_TRUE(registry_.Join(now_, restarted).ok());
  EXPECT_EQ(Row(1).incarnation(), 5);
  EXPECT_EQ(Row(1).address(), "127.0.0.1:9999");
  EXPECT_EQ(Row(1).slot(), 0);
  EXPECT_EQ(registry_.living(), 2);
  EXPECT_TRUE(absl::IsNotFound(Renew(1, 1))) << "the old process lost its lease";
}

TEST_F(RegistryTest, LowerIncarnationIsRefusedAndChangesNothing) {
  Populate({});
  ASSERT_TRUE(registry_.Join(now_, Peer(1, 5)).ok());
  const uint64_t epoch = registry_.epoch();
  const absl::Status status = registry_.Join(now_, Peer(1, 4));
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_NE(status.message().find("incarnation 5"), absl::string_view::npos) << status;
  EXPECT_EQ(Row(1).incarnation(), 5);
  EXPECT_EQ(registry_.epoch(), epoch);
}

TEST_F(RegistryTest, LeaveOfAnOldIncarnationIsIgnored) {
  Populate({});
  ASSERT_TRUE(registry_.Join(now_, Peer(1, 5)).ok());
  registry_.Leave(now_, PeerId(1), 4, "late");
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
}

TEST_F(RegistryTest, RepeatedJoinRenewsAndChangesNothing) {
  Populate({1});
  const uint64_t epoch = registry_.epoch();
  now_ += 0.9 * options_.lease;
  ASSERT_TRUE(registry_.Join(now_, Peer(1)).ok());
  EXPECT_EQ(registry_.epoch(), epoch);
  now_ += 0.9 * options_.lease;
  registry_.Expire(now_);
  EXPECT_EQ(State(1), v1::PEER_STATE_JOINING);
}

TEST_F(RegistryTest, EpochGrowsWithEveryChangeAndWithNothingElse) {
  Populate({1, 2});
  uint64_t epoch = registry_.epoch();
  EXPECT_EQ(epoch >> 32, 7);
  ASSERT_TRUE(registry_.Renew(now_, PeerId(1), 1, 10, v1::PEER_STATE_JOINING).ok());
  EXPECT_EQ(registry_.epoch(), epoch) << "a step is no change of membership";
  ASSERT_TRUE(registry_.Renew(now_, PeerId(1), 1, 11, v1::PEER_STATE_ALIVE).ok());
  EXPECT_EQ(registry_.epoch(), ++epoch);
  registry_.Leave(now_, PeerId(1), 1, "");
  EXPECT_EQ(registry_.epoch(), ++epoch);
  now_ += options_.lease;
  registry_.Expire(now_);
  EXPECT_EQ(registry_.epoch(), ++epoch);
}

TEST_F(RegistryTest, FullRegistryRefusesNewcomersButNotMembers) {
  options_.max_members = 2;
  Registry small(options_, 1, now_);
  ASSERT_TRUE(small.Join(now_, Peer(1)).ok());
  ASSERT_TRUE(small.Join(now_, Peer(2)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(small.Join(now_, Peer(3))));
  EXPECT_TRUE(small.Join(now_, Peer(2, 2)).ok());
  small.Leave(now_, PeerId(1), 1, "");
  EXPECT_TRUE(small.Join(now_, Peer(3)).ok());
}

TEST_F(RegistryTest, OnlyTheNewestOfTheDepartedAreKept) {
  options_.max_departed = 2;
  Registry small(options_, 1, now_);
  for (uint64_t id : {1, 2, 3}) {
    now_ += absl::Seconds(1);
    ASSERT_TRUE(small.Join(now_, Peer(id)).ok());
    small.Leave(now_, PeerId(id), 1, "");
  }
  small.Expire(now_);
  EXPECT_EQ(small.Find(PeerId(1)), nullptr);
  EXPECT_NE(small.Find(PeerId(2)), nullptr);
  EXPECT_NE(small.Find(PeerId(3)), nullptr);
}

TEST_F(RegistryTest, TheDepartedAreForgottenAfterADay) {
  Populate({1});
  registry_.Leave(now_, PeerId(1), 1, "");
  registry_.Expire(now_ + absl::Hours(24) - absl::Seconds(1));
  EXPECT_EQ(State(1), v1::PEER_STATE_LEFT);
  registry_.Expire(now_ + absl::Hours(24));
  EXPECT_EQ(State(1), v1::PEER_STATE_UNSPECIFIED);
}

TEST_F(RegistryTest, AddressesThatNobodyCanDialAreRefused) {
  for (const std::string address :
       {"", "localhost", "host:0", "host:65536", ":80", "ho st:80", "host:80x"}) {
    v1::Member member = Peer(1);
    member.set_address(address);
    EXPECT_TRUE(absl::IsInvalidArgument(registry_.Join(now_, member))) << address;
  }
  v1::Member member = Peer(1);
  member.set_address(std::string(300, 'a') + ":80");
  EXPECT_TRUE(absl::IsInvalidArgument(registry_.Join(now_, member)));
  EXPECT_TRUE(registry_.Members().empty());
}

TEST_F(RegistryTest, ReasonsFromTheNetworkStayOnOneLine) {
  Populate({1});
  registry_.Leave(now_, PeerId(1), 1, "first\nsecond");
  EXPECT_EQ(Row(1).reason(), "left: first second");
}

TEST_F(RegistryTest, EveryChangeIsLoggedOnce) {
  Populate({1});
  registry_.Leave(now_, PeerId(1), 1, "");
  ASSERT_TRUE(registry_.Join(now_, Peer(2)).ok());
  const std::vector<v1::Member> changes = registry_.TakeChanges();
  ASSERT_EQ(changes.size(), 2);
  EXPECT_EQ(changes[0].peer_id(), 1);
  EXPECT_EQ(changes[0].state(), v1::PEER_STATE_LEFT);
  EXPECT_EQ(changes[1].peer_id(), 2);
  EXPECT_TRUE(registry_.TakeChanges().empty());
}

TEST(RegistryOptionsTest, PresetsAreValidAndNonsenseNamesTheField) {
  for (const RegistryOptions& options :
       {RegistryOptions::Lan(), RegistryOptions::Fast(), RegistryOptions::Wan()}) {
    EXPECT_TRUE(options.Validate().ok());
  }
  RegistryOptions options;
  options.lease = 1.5 * options.heartbeat;
  EXPECT_EQ(options.Validate().message().substr(0, 5), "lease");
  options = {};
  options.heartbeat = absl::ZeroDuration();
  EXPECT_EQ(options.Validate().message().substr(0, 9), "heartbeat");
  options = {};
  options.max_members = 0;
  EXPECT_EQ(options.Validate().message().substr(0, 11), "max_members");
}

}  // namespace
}  // namespace starling
