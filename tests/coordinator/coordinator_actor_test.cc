#include "coordinator/coordinator_actor.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/runtime/run_config.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

class Recorder : public SwarmWatcher {
 public:
  void OnEvent(const v1::SwarmEvent& event) override {
    events.push_back(event);
    if (on_event) on_event();
  }
  void OnEnd() override { ended = true; }

  std::vector<v1::SwarmEvent> events;
  std::function<void()> on_event;
  bool ended = false;
};

class CoordinatorActorTest : public testing::Test {
 protected:
  CoordinatorActorTest() {
    config_.set_min_peers(2);
    config_ = WithDefaults(config_);
    actor_ = std::make_unique<CoordinatorActor>(
        &executor_, RegistryOptions::Lan(), config_, 1, Random(1),
        [this](const v1::Member& member) { log_.push_back(member); });
    executor_.Do([this] { actor_->Start(); });
  }
  ~CoordinatorActorTest() override {
    executor_.Do([this] { actor_.reset(); });
  }
  void Join(uint64_t id) {
    v1::JoinRequest request;
    request.mutable_member()->set_peer_id(id);
    request.mutable_member()->set_incarnation(1);
    request.mutable_member()->set_address(absl::StrCat("127.0.0.1:", 7000 + id));
    request.set_run_id(RunIdOf(config_).value());
    executor_.Do([&] { ASSERT_TRUE(actor_->Join(request).ok()); });
  }
  std::shared_ptr<Recorder> Watch() {
    auto watcher = std::make_shared<Recorder>();
    executor_.Do([&] { ASSERT_TRUE(actor_->AddWatcher(watcher).ok()); });
    return watcher;
  }
  v1::Status Status() {
    v1::Status status;
    executor_.Do([&] { status = actor_->Status(); });
    return status;
  }

  v1::RunConfig config_;
  ManualExecutor executor_;
  std::vector<v1::Member> log_;
  std::unique_ptr<CoordinatorActor> actor_;
};

TEST_F(CoordinatorActorTest, WatcherSeesTheViewAtOnceAndThenOneViewForManyChanges) {
  Join(1);
  executor_.Advance(absl::Seconds(1));
  const auto watcher = Watch();
  ASSERT_EQ(watcher->events.size(), 1);
  EXPECT_EQ(watcher->events[0].view().members_size(), 1);
  for (uint64_t id = 2; id <= 50; ++id) Join(id);
  executor_.Advance(absl::Milliseconds(200));
  ASSERT_EQ(watcher->events.size(), 2);
  EXPECT_EQ(watcher->events[1].view().members_size(), 50);
}

TEST_F(CoordinatorActorTest, EvictionIsLoggedWithItsReason) {
  executor_.Advance(absl::Seconds(20));
  Join(1);
  executor_.Advance(absl::Seconds(6));
  ASSERT_EQ(log_.size(), 2);
  EXPECT_EQ(log_[1].state(), v1::PEER_STATE_DEAD);
  EXPECT_TRUE(log_[1].reason().starts_with("no heartbeat for 5.")) << log_[1].reason();
}

TEST_F(CoordinatorActorTest, OwnPauseIsNotHeldAgainstMembers) {
  executor_.Advance(absl::Seconds(20));
  Join(1);
  executor_.Freeze(absl::Minutes(10));
  executor_.Advance(absl::Seconds(9));
  EXPECT_EQ(log_.size(), 1);
  executor_.Advance(absl::Seconds(2));
  ASSERT_EQ(log_.size(), 2);
  EXPECT_EQ(log_[1].state(), v1::PEER_STATE_DEAD);
}

TEST_F(CoordinatorActorTest, WatcherMayRemoveItselfWhileItIsTold) {
  const auto first = Watch();
  const auto second = Watch();
  first->on_event = [&] { actor_->RemoveWatcher(first.get()); };
  Join(1);
  executor_.Advance(absl::Seconds(1));
  Join(2);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(first->events.size(), 2);
  EXPECT_EQ(second->events.size(), 3);
}

TEST_F(CoordinatorActorTest, WatchersAreBounded) {
  std::vector<std::shared_ptr<Recorder>> watchers;
  for (size_t i = 0; i < CoordinatorActor::kMaxWatchers; ++i) watchers.push_back(Watch());
  executor_.Do([&] {
    EXPECT_TRUE(absl::IsResourceExhausted(actor_->AddWatcher(std::make_shared<Recorder>())));
    actor_->RemoveWatcher(watchers[0].get());
    EXPECT_TRUE(actor_->AddWatcher(std::make_shared<Recorder>()).ok());
  });
}

TEST_F(CoordinatorActorTest, ClosingEndsWatchesAndRefusesNewOnes) {
  const auto watcher = Watch();
  executor_.Do([&] {
    actor_->CloseWatchers();
    EXPECT_TRUE(absl::IsUnavailable(actor_->AddWatcher(std::make_shared<Recorder>())));
  });
  EXPECT_TRUE(watcher->ended);
}

TEST_F(CoordinatorActorTest, StatusTellsPhaseMembersAndEpoch) {
  EXPECT_EQ(Status().phase(), v1::PHASE_WAITING);
  EXPECT_EQ(Status().role(), v1::ROLE_COORDINATOR);
  for (const uint64_t id : {1, 2}) {
    Join(id);
    v1::HeartbeatRequest heartbeat;
    heartbeat.set_peer_id(id);
    heartbeat.set_incarnation(1);
    executor_.Do([&] { ASSERT_TRUE(actor_->Heartbeat(heartbeat).ok()); });
  }
  const v1::Status status = Status();
  EXPECT_EQ(status.phase(), v1::PHASE_TRAINING);
  ASSERT_EQ(status.peers_size(), 2);
  EXPECT_EQ(status.peers(1).peer_id(), "0000000000000002");
  EXPECT_EQ(status.coordinator().epoch(), (uint64_t{1} << 32) + 2);
  EXPECT_EQ(status.config().min_peers(), 2);
}

}  // namespace
}  // namespace starling
