// The coordinator's service and the peers' client over real sockets of the loopback.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "coordinator/coordinator_actor.h"
#include "coordinator/grpc_coordinator_service.h"
#include "peer/membership/grpc_coordinator_client.h"
#include "peer/runtime/asio_executor.h"
#include "peer/runtime/grpc_server.h"
#include "peer/runtime/run_config.h"

namespace starling {
namespace {

// A bound for conditions that come true at once or never.
constexpr absl::Duration kPatience = absl::Seconds(20);

v1::RunConfig Config() {
  v1::RunConfig config;
  config.set_min_peers(2);
  config.mutable_averaging()->set_period_steps(10);
  return WithDefaults(config);
}

// A coordinator with threads of its own.
class Daemon {
 public:
  explicit Daemon(const std::string& listen = "127.0.0.1:0", uint64_t start_number = 1)
      : threads_("control", 1),
        executor_(threads_),
        actor_(&executor_, RegistryOptions::Fast(), Config(), start_number, Random(1), nullptr),
        service_(&executor_, &actor_) {
    GrpcServer::Options options;
    options.listen = listen;
    absl::StatusOr<std::unique_ptr<GrpcServer>> server = GrpcServer::Start(options, {&service_});
    EXPECT_TRUE(server.ok()) << server.status();
    if (!server.ok()) return;
    server_ = *std::move(server);
    executor_.Post([this] { actor_.Start(); });
  }
  ~Daemon() {
    executor_.Post([this] { actor_.CloseWatchers(); });
    if (server_ != nullptr) server_->Shutdown(absl::Seconds(5));
    threads_.Join();
  }
  std::string address() const { return server_ == nullptr ? "127.0.0.1:1" : server_->address(); }

 private:
  AsioThreads threads_;
  AsioExecutor executor_;
  CoordinatorActor actor_;
  GrpcCoordinatorService service_;
  std::unique_ptr<GrpcServer> server_;
};

// A peer's client with threads of its own; calls block the test until they are answered.
class Client {
 public:
  explicit Client(const std::string& address)
      : threads_("peer", 1),
        executor_(threads_),
        client_(std::make_unique<GrpcCoordinatorClient>(&executor_, address)) {}
  ~Client() {
    absl::Notification gone;
    executor_.Post([&] {
      client_.reset();
      gone.Notify();
    });
    gone.WaitForNotification();
    threads_.Join();
  }

  absl::StatusOr<v1::JoinResponse> Join(uint64_t id) {
    v1::JoinRequest request;
    request.mutable_member()->set_peer_id(id);
    request.mutable_member()->set_incarnation(1);
    request.mutable_member()->set_address(absl::StrCat("127.0.0.1:", 7000 + id));
    request.mutable_member()->set_state(v1::PEER_STATE_JOINING);
    request.set_run_id(RunIdOf(Config()).value());
    return Ask<absl::StatusOr<v1::JoinResponse>>(
        [&](auto done) { client_->Join(request, std::move(done)); });
  }
  absl::Status Beat(uint64_t id, uint64_t step) {
    v1::HeartbeatRequest request;
    request.set_peer_id(id);
    request.set_incarnation(1);
    request.set_step(step);
    request.set_state(v1::PEER_STATE_ALIVE);
    return Ask<absl::StatusOr<v1::HeartbeatResponse>>([&](auto done) {
             client_->Heartbeat(request, std::move(done));
           }).status();
  }
  absl::Status Leave(uint64_t id) {
    v1::LeaveRequest request;
    request.set_peer_id(id);
    request.set_incarnation(1);
    request.set_reason("test");
    return Ask<absl::Status>([&](auto done) { client_->Leave(request, std::move(done)); });
  }

  void Watch() {
    executor_.Post([this] {
      client_->Watch(
          {},
          [this](v1::SwarmEvent event) {
            absl::MutexLock lock(&mutex_);
            (event.has_view() ? view_ : round_) = event;
          },
          [this](absl::Status status) {
            absl::MutexLock lock(&mutex_);
            closed_.push_back(status);
          });
    });
  }
  // True as soon as the newest view has such a member.
  bool Sees(uint64_t id, v1::PeerState state) {
    const auto seen = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      for (const v1::Member& member : view_.view().members()) {
        if (member.peer_id() == id && member.state() == state) return true;
      }
      return false;
    };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&seen), kPatience);
  }
  bool SeesRound() {
    const auto seen = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return round_.has_round(); };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&seen), kPatience);
  }
  bool WaitClosed() {
    const auto closed = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !closed_.empty(); };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&closed), kPatience);
  }
  size_t closings() {
    absl::MutexLock lock(&mutex_);
    return closed_.size();
  }
  v1::SwarmEvent round() {
    absl::MutexLock lock(&mutex_);
    return round_;
  }

 private:
  template <typename Answer, typename Start>
  Answer Ask(Start start) {
    absl::Notification answered;
    Answer answer;
    executor_.Post([&] {
      start([&](Answer given) {
        answer = std::move(given);
        answered.Notify();
      });
    });
    if (!answered.WaitForNotificationWithTimeout(kPatience)) {
      ADD_FAILURE() << "no answer";
      std::abort();
    }
    return answer;
  }

  AsioThreads threads_;
  AsioExecutor executor_;
  std::unique_ptr<GrpcCoordinatorClient> client_;
  absl::Mutex mutex_;
  v1::SwarmEvent view_ ABSL_GUARDED_BY(mutex_);
  v1::SwarmEvent round_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
};

TEST(GrpcCoordinatorTest, PeersJoinBeatAndLeaveAndWatchersSeeIt) {
  Daemon daemon;
  Client first(daemon.address());
  Client second(daemon.address());
  first.Watch();
  const absl::StatusOr<v1::JoinResponse> joined = first.Join(1);
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->run_id(), RunIdOf(Config()).value());
  EXPECT_TRUE(first.Sees(1, v1::PEER_STATE_JOINING));
  ASSERT_TRUE(second.Join(2).ok());
  EXPECT_TRUE(first.Sees(2, v1::PEER_STATE_JOINING));
  EXPECT_TRUE(second.Beat(2, 5).ok());
  EXPECT_TRUE(first.Sees(2, v1::PEER_STATE_ALIVE));
  EXPECT_TRUE(second.Leave(2).ok());
  EXPECT_TRUE(first.Sees(2, v1::PEER_STATE_LEFT));
}

TEST(GrpcCoordinatorTest, CodesCrossTheWire) {
  Daemon daemon;
  Client client(daemon.address());
  EXPECT_TRUE(absl::IsNotFound(client.Beat(9, 0)));
  ASSERT_TRUE(client.Join(1).ok());
  ASSERT_TRUE(client.Leave(1).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(client.Join(1).status()));
}

TEST(GrpcCoordinatorTest, RoundsReachWatchers) {
  Daemon daemon;
  Client client(daemon.address());
  client.Watch();
  ASSERT_TRUE(client.Join(1).ok());
  ASSERT_TRUE(client.Join(2).ok());
  ASSERT_TRUE(client.Beat(1, 0).ok());
  ASSERT_TRUE(client.Beat(2, 0).ok());
  // The planner must have seen step 0 before it can count from it; the view comes with that tick.
  ASSERT_TRUE(client.Sees(2, v1::PEER_STATE_ALIVE));
  ASSERT_TRUE(client.Beat(1, 20).ok());
  ASSERT_TRUE(client.Beat(2, 20).ok());
  ASSERT_TRUE(client.SeesRound());
  EXPECT_EQ(client.round().round().participants_size(), 2);
}

TEST(GrpcCoordinatorTest, SilentMemberIsSeenToDie) {
  Daemon daemon;
  Client client(daemon.address());
  client.Watch();
  ASSERT_TRUE(client.Join(1).ok());
  EXPECT_TRUE(client.Sees(1, v1::PEER_STATE_DEAD));
}

TEST(GrpcCoordinatorTest, WithoutACoordinatorCallsFailAndNothingHangs) {
  Client client("127.0.0.1:1");
  EXPECT_TRUE(absl::IsUnavailable(client.Join(1).status()));
  EXPECT_TRUE(absl::IsUnavailable(client.Leave(1)));
  client.Watch();
  EXPECT_TRUE(client.WaitClosed());
}

TEST(GrpcCoordinatorTest, WatchersHearOfAShutdownAndFindTheNextCoordinator) {
  auto daemon = std::make_unique<Daemon>();
  const std::string address = daemon->address();
  Client client(address);
  ASSERT_TRUE(client.Join(1).ok());
  client.Watch();
  ASSERT_TRUE(client.Sees(1, v1::PEER_STATE_JOINING));
  daemon.reset();
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_TRUE(absl::IsUnavailable(client.Beat(1, 0)));

  Daemon next(address, 2);
  const absl::Time end = absl::Now() + kPatience;
  absl::Status status;
  do {
    status = client.Beat(1, 0);
  } while (absl::IsUnavailable(status) && absl::Now() < end);
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(client.Join(1).ok());
}

TEST(GrpcCoordinatorTest, NewWatchReplacesTheOldOneSilently) {
  Daemon daemon;
  Client client(daemon.address());
  client.Watch();
  client.Watch();
  ASSERT_TRUE(client.Join(1).ok());
  EXPECT_TRUE(client.Sees(1, v1::PEER_STATE_JOINING));
  EXPECT_EQ(client.closings(), 0);
}

TEST(GrpcCoordinatorTest, ClientThatIsDestroyedCancelsItsWatch) {
  Daemon daemon;
  for (int i = 0; i < 20; ++i) {
    Client client(daemon.address());
    client.Watch();
    if (i % 2 == 0) {
      ASSERT_TRUE(client.Join(i + 1).ok());
    }
  }
}

}  // namespace
}  // namespace starling
