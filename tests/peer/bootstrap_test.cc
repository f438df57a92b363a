#include "peer/bootstrap.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "peer/runtime/asio_executor.h"
#include "peer/runtime/run_config.h"

namespace starling {
namespace {

v1::RunConfig RunOf(const std::string& model) {
  v1::RunConfig config;
  config.mutable_model()->set_name(model);
  return WithDefaults(config);
}

// Answers as the test says, on the control executor, and keeps what it was asked.
class Coordinator final : public CoordinatorClient {
 public:
  const std::string& address() const override { return address_; }
  void Join(v1::JoinRequest request,
            absl::AnyInvocable<void(absl::StatusOr<v1::JoinResponse>)> done) override {
    absl::StatusOr<v1::JoinResponse> response = answer(request);
    {
      absl::MutexLock lock(&mutex_);
      asked_.push_back(std::move(request));
    }
    done(std::move(response));
  }
  void Heartbeat(v1::HeartbeatRequest,
                 absl::AnyInvocable<void(absl::StatusOr<v1::HeartbeatResponse>)>) override {}
  void Leave(v1::LeaveRequest, absl::AnyInvocable<void(absl::Status)>) override {}
  void Watch(v1::WatchRequest, absl::AnyInvocable<void(v1::SwarmEvent)>,
             absl::AnyInvocable<void(absl::Status)>) override {}

  std::vector<v1::JoinRequest> asked() {
    absl::MutexLock lock(&mutex_);
    return asked_;
  }

  std::function<absl::StatusOr<v1::JoinResponse>(const v1::JoinRequest&)> answer;

 private:
  const std::string address_ = "coordinator:7600";
  absl::Mutex mutex_;
  std::vector<v1::JoinRequest> asked_;
};

// Peers of which those in `runs` answer.
class Peers final : public Transport {
 public:
  void SetDelegate(Delegate*) override {}
  absl::Status SendFrame(const std::string&, Frame) override { return absl::OkStatus(); }
  void Call(const std::string& address, v1::ControlRequest, absl::Duration,
            CallCallback done) override {
    const auto found = runs.find(address);
    if (found == runs.end()) return done(absl::UnavailableError("nobody there"));
    v1::ControlResponse response;
    *response.mutable_run()->mutable_config() = found->second;
    done(std::move(response));
  }
  void Forget(const std::string&) override {}
  uint64_t bytes_sent() const override { return 0; }
  uint64_t bytes_received() const override { return 0; }

  std::map<std::string, v1::RunConfig> runs;
};

class BootstrapTest : public testing::Test {
 protected:
  BootstrapTest() {
    options_.self.set_peer_id(5);
    options_.self.set_incarnation(9);
    options_.self.set_address("127.0.0.1:7705");
    options_.own = RunOf("cnn");
    options_.patience = absl::Milliseconds(10);
    options_.log = [this](const std::string& line) { log_.push_back(line); };
    options_.stopped = [] { return false; };
    coordinator_.answer = [](const v1::JoinRequest& request) {
      v1::JoinResponse response;
      *response.mutable_config() = RunOf("mlp");
      response.set_slot(request.run_id() == 0 ? 0 : 3);
      return response;
    };
  }
  ~BootstrapTest() override { threads_.Join(); }

  absl::StatusOr<v1::RunConfig> Find(bool with_coordinator) {
    return FindRun(&control_, &peers_, with_coordinator ? &coordinator_ : nullptr, options_);
  }
  absl::StatusOr<absl::optional<uint32_t>> Take() {
    return TakeSlot(&control_, &coordinator_, RunIdOf(RunOf("mlp")), options_);
  }

  Coordinator coordinator_;
  Peers peers_;
  BootstrapOptions options_;
  std::vector<std::string> log_;
  AsioThreads threads_{"control", 1};
  AsioExecutor control_{threads_};
};

TEST_F(BootstrapTest, TheCoordinatorIsAskedForTheRunWithoutRegistering) {
  const auto run = Find(true);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->model().name(), "mlp");
  ASSERT_EQ(coordinator_.asked().size(), 1u);
  EXPECT_EQ(coordinator_.asked()[0].run_id(), 0u) << "that would register a peer that answers nobody";
}

TEST_F(BootstrapTest, ASlotIsTakenByRegisteringWithTheRun) {
  const auto slot = Take();
  ASSERT_TRUE(slot.ok()) << slot.status();
  EXPECT_EQ(*slot, absl::make_optional<uint32_t>(3));
  ASSERT_EQ(coordinator_.asked().size(), 1u);
  EXPECT_EQ(coordinator_.asked()[0].run_id(), RunIdOf(RunOf("mlp")).value());
  EXPECT_EQ(coordinator_.asked()[0].member().incarnation(), 9u);
}

TEST_F(BootstrapTest, ACoordinatorThatIsLostMeanwhileLeavesThePeerWithoutASlot) {
  coordinator_.answer = [](const v1::JoinRequest&) { return absl::UnavailableError("gone"); };
  const auto slot = Take();
  ASSERT_TRUE(slot.ok()) << slot.status();
  EXPECT_FALSE(slot->has_value());
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(log_[0], "gone")) << log_[0];
}

TEST_F(BootstrapTest, ARefusalIsFinal) {
  coordinator_.answer = [](const v1::JoinRequest&) {
    return absl::FailedPreconditionError("another run");
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(Take().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Find(true).status()));
  coordinator_.answer = [](const v1::JoinRequest&) { return absl::AlreadyExistsError("two"); };
  EXPECT_TRUE(absl::IsAlreadyExists(Take().status()));
}

TEST_F(BootstrapTest, WhileTheCoordinatorIsAwayThePeersAreAsked) {
  coordinator_.answer = [](const v1::JoinRequest&) { return absl::UnavailableError("gone"); };
  options_.seeds = {"a:1", "b:1"};
  peers_.runs["b:1"] = RunOf("mlp");
  const auto run = Find(true);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->model().name(), "mlp");
}

TEST_F(BootstrapTest, TheJoinTimeoutEndsTheWaitForTheCoordinator) {
  coordinator_.answer = [](const v1::JoinRequest&) { return absl::UnavailableError("gone"); };
  options_.join_timeout = absl::Milliseconds(20);
  const absl::Status status = Find(true).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "coordinator:7600")) << status;
}

TEST_F(BootstrapTest, WithoutACoordinatorItEndsTheWaitForPeers) {
  options_.seeds = {"a:1"};
  options_.join_timeout = absl::Milliseconds(20);
  const absl::Status status = Find(false).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "a:1")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "--bootstrap")) << status;
  peers_.runs["a:1"] = RunOf("mlp");
  const auto run = Find(false);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->model().name(), "mlp");
}

TEST_F(BootstrapTest, WhoFoundsASwarmWaitsForNobody) {
  options_.join_timeout = absl::Milliseconds(20);
  EXPECT_EQ(Find(false)->model().name(), "cnn");
  options_.seeds = {"a:1"};
  options_.found = true;
  EXPECT_EQ(Find(false)->model().name(), "cnn");
}

TEST_F(BootstrapTest, WithoutAJoinTimeoutASwarmIsFoundedWhenNobodyAnswers) {
  options_.seeds = {"a:1"};
  EXPECT_EQ(Find(false)->model().name(), "cnn");
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(log_[0], "first of a swarm")) << log_[0];
}

}  // namespace
}  // namespace starling
