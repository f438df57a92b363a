// Connections that want nothing but room: too many, or too slow.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/status.grpc.pb.h"
#include "tests/chaos/swarm.h"

namespace starling {
namespace {

// Connections to a daemon on this machine that say `greeting` and then nothing.
class SilentCrowd {
 public:
  SilentCrowd(const std::string& address, int count, const std::string& greeting = "") {
    sockaddr_in where = {};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int port = 0;
    if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return;
    where.sin_port = htons(static_cast<uint16_t>(port));
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (fd < 0) return;
      sockets_.push_back(fd);
      if (connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0) continue;
      if (!greeting.empty()) send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL);
      ++connected_;
    }
  }
  ~SilentCrowd() {
    for (int fd : sockets_) close(fd);
  }

  int connected() const { return connected_; }

  // Waits until the daemon has closed every one of them.
  bool IsShownOut() {
    const absl::Time end = absl::Now() + kPatience;
    for (int fd : sockets_) {
      char byte;
      for (;;) {
        pollfd poller = {fd, POLLIN, 0};
        const int left = static_cast<int>(absl::ToInt64Milliseconds(end - absl::Now()));
        if (left <= 0 || poll(&poller, 1, left) <= 0) return false;
        // What servers say before anybody asked is of no interest.
        if (recv(fd, &byte, 1, 0) <= 0) break;
      }
    }
    return true;
  }

 private:
  std::vector<int> sockets_;
  int connected_ = 0;
};

constexpr char kHalfAGreeting[] = "PRI * HTTP/2.0\r\n";

// Both numbers: a daemon may raise the soft limit up to the hard one.
const std::vector<std::string> kFortyFiles = {"prlimit", "--nofile=40:40"};

TEST(FloodTest, CoordinatorWithFortyDescriptorsTakesANewPeerAfterSixtyIdleConnections) {
  if (!HasProgram("prlimit")) GTEST_SKIP() << "needs the program prlimit (util-linux)";
  RealSwarm swarm(2, kFortyFiles);
  ASSERT_TRUE(swarm.Start());
  {
    SilentCrowd crowd(swarm.coordinator().address(), 60);
    EXPECT_GT(crowd.connected(), 30);
    EXPECT_TRUE(AllGoOn(swarm, {0, 1}));
  }
  Daemon& newcomer = swarm.Add();
  EXPECT_TRUE(WatchUntil(newcomer.address(), MoreExchanges(1)))
      << newcomer.log() << swarm.coordinator().log();
}

TEST(FloodTest, PeerWithFortyDescriptorsGoesOnAndMeetsANewPeerAfterSixtyIdleConnections) {
  if (!HasProgram("prlimit")) GTEST_SKIP() << "needs the program prlimit (util-linux)";
  RealSwarm swarm(2);
  Daemon& poor = swarm.Add({}, kFortyFiles);
  ASSERT_TRUE(swarm.Start());
  {
    SilentCrowd crowd(poor.address(), 60);
    EXPECT_TRUE(AllGoOn(swarm, {1}));
  }
  EXPECT_TRUE(AllGoOn(swarm, {0, 1})) << poor.log();
  Daemon& newcomer = swarm.Add();
  ASSERT_TRUE(WatchUntil(newcomer.address(), Trains)) << newcomer.log();
  const std::string id = StatusOf(newcomer.address()).peer_id();
  v1::Status last;
  EXPECT_TRUE(WatchUntil(
      poor.address(),
      [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_ALIVE; }, &last))
      << last.DebugString() << poor.log();
  EXPECT_TRUE(WatchUntil(poor.address(), MoreExchanges(2))) << poor.log();
}

TEST(FloodTest, AThousandConnectionsDoNotKeepTheSwarmFromTrainingNorANewcomerOut) {
  RealSwarm swarm(2);
  ASSERT_TRUE(swarm.Start());
  SilentCrowd coordinators(swarm.coordinator().address(), 1000);
  SilentCrowd peers(swarm.peer(0).address(), 1000);
  EXPECT_TRUE(WatchUntil(swarm.peer(1).address(), MoreExchanges(10)));
  EXPECT_TRUE(AllGoOn(swarm, {0, 1}));
  Daemon& newcomer = swarm.Add();
  EXPECT_TRUE(WatchUntil(newcomer.address(), MoreExchanges(5)))
      << newcomer.log() << swarm.peer(0).log();
  EXPECT_TRUE(coordinators.IsShownOut());
  EXPECT_TRUE(peers.IsShownOut());
}

TEST(FloodTest, WhoGreetsWithoutEndIsShownOut) {
  RealSwarm swarm(2);
  ASSERT_TRUE(swarm.Start());
  SilentCrowd slow(swarm.peer(0).address(), 200, std::string(kHalfAGreeting).substr(0, 9));
  EXPECT_EQ(slow.connected(), 200);
  EXPECT_TRUE(WatchUntil(swarm.peer(1).address(), MoreExchanges(10)));
  EXPECT_TRUE(slow.IsShownOut()) << "slow talkers keep their descriptors for ever";
  EXPECT_TRUE(AllGoOn(swarm, {0, 1}));
}

constexpr int kStreams = 1000;

// A stream of statuses that is opened and of which one message is read. Counts the streams that
// were served and those that have ended, which all do once they are cancelled.
class Watcher final : public grpc::ClientReadReactor<v1::Status> {
 public:
  Watcher(v1::StatusService::Stub& stub, std::atomic<int>& served, absl::BlockingCounter& ended)
      : served_(served), ended_(ended) {
    request_.set_interval_ms(100);
    stub.async()->WatchStatus(&context_, &request_, this);
    StartRead(&status_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }
  void OnReadDone(bool ok) override { served_ += ok; }
  void OnDone(const grpc::Status&) override { ended_.DecrementCount(); }

 private:
  std::atomic<int>& served_;
  absl::BlockingCounter& ended_;
  grpc::ClientContext context_;
  v1::WatchStatusRequest request_;
  v1::Status status_;
};

TEST(FloodTest, StreamsWithoutEndFromOneClientLeaveRoomForOthers) {
  RealSwarm swarm(2);
  ASSERT_TRUE(swarm.Start());
  const std::string id = StatusOf(swarm.peer(0).address()).peer_id();
  grpc::ChannelArguments own;
  own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto greedy = v1::StatusService::NewStub(grpc::CreateCustomChannel(
      swarm.peer(0).address(), grpc::InsecureChannelCredentials(), own));
  absl::BlockingCounter ended(kStreams);
  std::atomic<int> served = 0;
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < kStreams; ++i) {
    watchers.push_back(std::make_unique<Watcher>(*greedy, served, ended));
  }
  EXPECT_TRUE(AllGoOn(swarm, {1}));
  // Its own watches may all be taken, so this is what its neighbour knows of it.
  uint64_t first = UINT64_MAX;
  EXPECT_TRUE(WatchUntil(swarm.peer(1).address(), [&](const v1::Status& now) {
    for (const v1::PeerStatus& peer : now.peers()) {
      if (peer.peer_id() != id) continue;
      if (first == UINT64_MAX) first = peer.step();
      return peer.step() >= first + 50;
    }
    return false;
  })) << swarm.peer(0).log();
  EXPECT_TRUE(WatchUntil(swarm.peer(1).address(), MoreExchanges(10)));
  Daemon& newcomer = swarm.Add();
  EXPECT_TRUE(WatchUntil(newcomer.address(), MoreExchanges(1))) << newcomer.log();
  EXPECT_GT(served, 0) << "none of the streams was served";
  EXPECT_LT(served, kStreams) << "all streams at once";
  for (auto& watcher : watchers) watcher->Cancel();
  ended.Wait();
  EXPECT_TRUE(AllGoOn(swarm, {0}));
}

}  // namespace
}  // namespace starling
