#include "coordinator/coordinator_core.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/runtime/run_config.h"

namespace starling {
namespace {

v1::RunConfig Config() {
  v1::RunConfig config;
  config.set_min_peers(2);
  config.mutable_averaging()->set_period_steps(10);
  return WithDefaults(config);
}

v1::JoinRequest Request(uint64_t id) {
  v1::JoinRequest request;
  request.mutable_member()->set_peer_id(id);
  request.mutable_member()->set_incarnation(1);
  request.mutable_member()->set_address(absl::StrCat("127.0.0.1:", 7000 + id));
  request.mutable_member()->set_state(v1::PEER_STATE_JOINING);
  request.set_run_id(RunIdOf(Config()).value());
  return request;
}

class CoordinatorCoreTest : public testing::Test {
 protected:
  void Beat(uint64_t id, uint64_t step, v1::PeerState state = v1::PEER_STATE_ALIVE) {
    v1::HeartbeatRequest request;
    request.set_peer_id(id);
    request.set_incarnation(1);
    request.set_step(step);
    request.set_state(state);
    ASSERT_TRUE(core_.Heartbeat(now_, request).ok());
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  CoordinatorCore core_{RegistryOptions::Lan(), Config(), 3, Random(1), now_};
};

TEST_F(CoordinatorCoreTest, JoinTellsEverythingAPeerNeeds) {
  const auto response = core_.Join(now_, Request(5));
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->peer_id(), 5);
  EXPECT_EQ(response->slot(), 0);
  EXPECT_EQ(response->run_id(), RunIdOf(Config()).value());
  EXPECT_EQ(RunIdOf(response->config()), RunIdOf(Config()));
  EXPECT_EQ(response->lease_seconds(), 5);
  EXPECT_EQ(response->heartbeat_seconds(), 1);
  ASSERT_EQ(response->view().members_size(), 1);
  EXPECT_EQ(response->view().members(0).peer_id(), 5);
}

TEST_F(CoordinatorCoreTest, PeersWithoutAnIdAreGivenDifferentOnes) {
  v1::JoinRequest anonymous = Request(0);
  anonymous.mutable_member()->set_address("127.0.0.1:1");
  const auto first = core_.Join(now_, anonymous);
  const auto second = core_.Join(now_, anonymous);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->peer_id(), 0);
  EXPECT_NE(first->peer_id(), second->peer_id());
  EXPECT_EQ(second->slot(), 1);
}

TEST_F(CoordinatorCoreTest, PeerThatInsistsOnAnotherModelIsRefusedInWords) {
  v1::JoinRequest request = Request(1);
  request.set_expect_model("cnn");
  const absl::Status status = core_.Join(now_, request).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(status.message(),
            "this coordinator runs model \"mlp\", the peer insists on \"cnn\"; start the peer "
            "without --model or join another coordinator");
  EXPECT_EQ(core_.View().members_size(), 0);
  request.set_expect_model("mlp");
  request.set_expect_algorithm("none");
  EXPECT_TRUE(absl::IsFailedPrecondition(core_.Join(now_, request).status()));
  request.set_expect_algorithm("elastic_gossip");
  EXPECT_TRUE(core_.Join(now_, request).ok());
}

TEST_F(CoordinatorCoreTest, PeerOfAnotherRunIsRefused) {
  v1::JoinRequest request = Request(1);
  request.set_run_id(RunIdOf(Config()).value() + 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(core_.Join(now_, request).status()));
  EXPECT_TRUE(core_.Join(now_, Request(1)).ok());
}

TEST_F(CoordinatorCoreTest, WhoOnlyAsksWhichRunThisIsIsToldAndNotRegistered) {
  ASSERT_TRUE(core_.Join(now_, Request(1)).ok());
  core_.TakeEvents();
  core_.TakeChanges();
  v1::JoinRequest question = Request(2);
  question.set_run_id(0);
  const auto answer = core_.Join(now_, question);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->run_id(), RunIdOf(Config()).value());
  EXPECT_EQ(RunIdOf(answer->config()), RunIdOf(Config()));
  EXPECT_EQ(answer->lease_seconds(), 0);
  EXPECT_EQ(answer->view().members_size(), 1);
  // It may load for minutes: nobody hears of it, misses it, or loses a slot to it.
  EXPECT_EQ(core_.View().members_size(), 1);
  EXPECT_TRUE(core_.TakeEvents().empty());
  EXPECT_TRUE(core_.TakeChanges().empty());
  EXPECT_FALSE(core_.started());
  question.set_expect_model("cnn");
  EXPECT_TRUE(absl::IsFailedPrecondition(core_.Join(now_, question).status()));
}

TEST_F(CoordinatorCoreTest, TheSwarmStartsWithMinPeersAndStaysStarted) {
  ASSERT_TRUE(core_.Join(now_, Request(1)).ok());
  EXPECT_FALSE(core_.started());
  const auto second = core_.Join(now_, Request(2));
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->view().started());
  v1::LeaveRequest leave;
  leave.set_peer_id(2);
  leave.set_incarnation(1);
  core_.Leave(now_, leave);
  EXPECT_TRUE(core_.View().started());
}

TEST_F(CoordinatorCoreTest, PeerThatTrainsAlreadyShowsThatTheSwarmHasStarted) {
  v1::JoinRequest request = Request(1);
  request.mutable_member()->set_state(v1::PEER_STATE_ALIVE);
  const auto response = core_.Join(now_, request);
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(response->view().started());
}

TEST_F(CoordinatorCoreTest, ManyChangesBetweenTwoLooksMakeOneView) {
  ASSERT_TRUE(core_.Join(now_, Request(1)).ok());
  ASSERT_TRUE(core_.Join(now_, Request(2)).ok());
  std::vector<v1::SwarmEvent> events = core_.TakeEvents();
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].view().members_size(), 2);
  EXPECT_TRUE(core_.TakeEvents().empty());
  Beat(1, 0, v1::PEER_STATE_JOINING);
  EXPECT_TRUE(core_.TakeEvents().empty()) << "a heartbeat is no event";
}

TEST_F(CoordinatorCoreTest, ARoundGetsAsLongAsTheSlowestOfThoseWhoTrainNeeds) {
  for (const uint64_t id : {1, 2, 3}) ASSERT_TRUE(core_.Join(now_, Request(id)).ok());
  const auto beat = [&](uint64_t id, uint64_t step, v1::PeerState state, double seconds) {
    v1::HeartbeatRequest request;
    request.set_peer_id(id);
    request.set_incarnation(1);
    request.set_step(step);
    request.set_state(state);
    request.set_averaging_seconds(seconds);
    ASSERT_TRUE(core_.Heartbeat(now_, request).ok());
  };
  for (const uint64_t step : {0, 10}) {
    beat(1, step, v1::PEER_STATE_ALIVE, std::nan(""));
    beat(2, step, v1::PEER_STATE_ALIVE, 107);
    beat(3, 0, v1::PEER_STATE_JOINING, 500);
    core_.TakeEvents();
    core_.Tick(now_);
  }
  const std::vector<v1::SwarmEvent> events = core_.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].round().deadline_seconds(), 10 + 2 * 107);
}

TEST_F(CoordinatorCoreTest, RoundCarriesTheEpochOfTheViewBeforeIt) {
  ASSERT_TRUE(core_.Join(now_, Request(1)).ok());
  ASSERT_TRUE(core_.Join(now_, Request(2)).ok());
  Beat(1, 0);
  Beat(2, 0);
  core_.Tick(now_);
  core_.TakeEvents();
  now_ += absl::Seconds(1);
  Beat(1, 12);
  Beat(2, 10);
  ASSERT_TRUE(core_.Join(now_, Request(3)).ok());
  core_.Tick(now_);
  const std::vector<v1::SwarmEvent> events = core_.TakeEvents();
  ASSERT_EQ(events.size(), 2);
  EXPECT_EQ(events[0].view().members_size(), 3);
  ASSERT_TRUE(events[1].has_round());
  EXPECT_EQ(events[1].round().epoch(), events[0].view().epoch());
  EXPECT_EQ(events[1].round().participants_size(), 2);
  EXPECT_EQ(core_.Status().rounds_planned(), 1);
}

TEST_F(CoordinatorCoreTest, LaterStartsSpeakForHigherEpochs) {
  for (uint64_t id = 1; id < 100; ++id) ASSERT_TRUE(core_.Join(now_, Request(id)).ok());
  const CoordinatorCore next(RegistryOptions::Lan(), Config(), 4, Random(1), now_);
  EXPECT_GT(next.View().epoch(), core_.View().epoch());
}

}  // namespace
}  // namespace starling
