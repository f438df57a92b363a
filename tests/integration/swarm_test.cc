// A swarm of real processes: joins, departures of every kind, and what they mean to the others.

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

// Trains for as long as the test needs it.
const std::vector<std::string> kEndless = {"--model=mlp", "--epochs=0",
                                           "--algorithm=elastic_gossip:p=1/4"};

bool Trains(const v1::Status& status) { return status.phase() == v1::PHASE_TRAINING; }

// True once `status` has made `steps` steps more than at the first call.
class MoreSteps {
 public:
  explicit MoreSteps(uint64_t steps) : steps_(steps) {}
  bool operator()(const v1::Status& status) {
    if (first_ == UINT64_MAX) first_ = status.training().step();
    return status.training().step() >= first_ + steps_;
  }

 private:
  const uint64_t steps_;
  uint64_t first_ = UINT64_MAX;
};

class SwarmTest : public testing::Test {
 protected:
  // A coordinator and `count` peers, all training.
  void Start(int count, std::vector<std::string> run_flags = kEndless) {
    run_flags.push_back(absl::StrCat("--min_peers=", count));
    coordinator_ = StartCoordinator(run_flags);
    for (int i = 0; i < count; ++i) AddPeer();
    for (auto& peer : peers_) {
      ASSERT_TRUE(WatchUntil(peer->address(), Trains)) << peer->log();
    }
  }

  Daemon& AddPeer() {
    peers_.push_back(StartPeer({absl::StrCat("--coordinator=", coordinator_->address())}));
    return *peers_.back();
  }

  std::unique_ptr<Daemon> coordinator_;
  std::vector<std::unique_ptr<Daemon>> peers_;
};

TEST_F(SwarmTest, PeersExchangeAndAgree) {
  ASSERT_NO_FATAL_FAILURE(Start(3));
  for (auto& peer : peers_) {
    v1::Status status;
    EXPECT_TRUE(WatchUntil(
        peer->address(),
        [](const v1::Status& now) {
          return now.gossip().exchanges_committed() >= 5 && now.gossip().exchanges_answered() >= 5;
        },
        &status))
        << status.DebugString();
    EXPECT_GT(status.gossip().consensus_distance(), 0);
    for (const v1::RefusalCount& refused : status.gossip().refused()) {
      EXPECT_TRUE(refused.reason() == v1::REFUSAL_REASON_CROSSED ||
                  refused.reason() == v1::REFUSAL_REASON_NOT_TRAINING)
          << refused.DebugString();
    }
    EXPECT_EQ(status.training().threads(), 1);
  }
  auto stub = StatusStub(peers_[0]->address());
  grpc::ClientContext context;
  v1::EvaluateAverageResponse average;
  const grpc::Status called = stub->EvaluateAverage(&context, {}, &average);
  ASSERT_TRUE(called.ok()) << called.error_message();
  EXPECT_EQ(average.peer_ids_size(), 3);
  EXPECT_EQ(average.missing_size(), 0);
  EXPECT_GT(average.test_accuracy(), 0.2);
}

TEST_F(SwarmTest, NewcomerTakesOverALivingPeersParameters) {
  ASSERT_NO_FATAL_FAILURE(Start(2));
  ASSERT_TRUE(WatchUntil(peers_[0]->address(), MoreSteps(200)));
  const uint64_t step_before = StatusOf(peers_[0]->address()).training().step();
  Daemon& newcomer = AddPeer();
  EXPECT_TRUE(newcomer.LogHas("verified")) << newcomer.log();
  v1::Status status;
  EXPECT_TRUE(WatchUntil(
      newcomer.address(),
      [](const v1::Status& now) { return now.gossip().exchanges_committed() >= 1; }, &status))
      << status.DebugString();
  EXPECT_GE(status.training().step(), step_before);
  EXPECT_EQ(status.slot(), 2u);
}

TEST_F(SwarmTest, WhoIsStillLoadingIsKnownToNobodyAndTakesNobodysSlot) {
  ASSERT_NO_FATAL_FAILURE(Start(2));
  // This one never finishes: there is no data where it looks for some.
  auto loading = StartPeer({absl::StrCat("--coordinator=", coordinator_->address()),
                            "--data_dir=/nonexistent"});
  EXPECT_TRUE(loading->LogHas("loading")) << loading->log();
  EXPECT_EQ(loading->Wait(), 66) << loading->log();
  EXPECT_EQ(StatusOf(coordinator_->address()).peers_size(), 2);
  Daemon& newcomer = AddPeer();
  v1::Status status;
  ASSERT_TRUE(WatchUntil(newcomer.address(), Trains, &status)) << newcomer.log();
  EXPECT_EQ(status.slot(), 2u);
}

TEST_F(SwarmTest, LeaveRequestEndsThePeerInGoodOrderAndTheOthersSeeItLeft) {
  ASSERT_NO_FATAL_FAILURE(Start(3));
  const std::string id = StatusOf(peers_[2]->address()).peer_id();
  auto stub = StatusStub(peers_[2]->address());
  grpc::ClientContext context;
  v1::LeaveSwarmRequest request;
  request.set_reason("test");
  v1::LeaveSwarmResponse response;
  ASSERT_TRUE(stub->Leave(&context, request, &response).ok());
  EXPECT_EQ(peers_[2]->Wait(), 0) << peers_[2]->log();
  for (int i : {0, 1}) {
    EXPECT_TRUE(WatchUntil(peers_[i]->address(), [&](const v1::Status& now) {
      return StateSeenBy(now, id) == v1::PEER_STATE_LEFT;
    }));
    EXPECT_TRUE(WatchUntil(peers_[i]->address(), MoreSteps(50)));
  }
}

TEST_F(SwarmTest, TerminatedPeerLeavesInGoodOrder) {
  ASSERT_NO_FATAL_FAILURE(Start(2));
  const std::string id = StatusOf(peers_[1]->address()).peer_id();
  peers_[1]->Signal(SIGTERM);
  EXPECT_EQ(peers_[1]->Wait(), 0) << peers_[1]->log();
  EXPECT_TRUE(WatchUntil(coordinator_->address(), [&](const v1::Status& now) {
    return StateSeenBy(now, id) == v1::PEER_STATE_LEFT;
  }));
  EXPECT_TRUE(WatchUntil(peers_[0]->address(), MoreSteps(50)));
}

TEST_F(SwarmTest, KilledPeerIsReportedDeadAndTheOthersGoOn) {
  ASSERT_NO_FATAL_FAILURE(Start(3));
  const std::string id = StatusOf(peers_[2]->address()).peer_id();
  peers_[2]->Signal(SIGKILL);
  for (int i : {0, 1}) EXPECT_TRUE(WatchUntil(peers_[i]->address(), MoreSteps(100)));
  for (const std::string& observer : {peers_[0]->address(), coordinator_->address()}) {
    v1::Status last;
    EXPECT_TRUE(WatchUntil(
        observer,
        [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_DEAD; }, &last))
        << last.DebugString();
    for (const v1::PeerStatus& peer : last.peers()) {
      if (peer.peer_id() == id) {
        EXPECT_FALSE(peer.reason().empty());
      }
    }
  }
  EXPECT_TRUE(WatchUntil(peers_[0]->address(), MoreSteps(50)));
}

TEST_F(SwarmTest, StoppedPeerNeverStopsTheOthersAndComesBack) {
  ASSERT_NO_FATAL_FAILURE(Start(3));
  const std::string id = StatusOf(peers_[2]->address()).peer_id();
  peers_[2]->Signal(SIGSTOP);
  for (int i : {0, 1}) {
    EXPECT_TRUE(WatchUntil(peers_[i]->address(), MoreSteps(200)));
    EXPECT_TRUE(WatchUntil(peers_[i]->address(), [&](const v1::Status& now) {
      return StateSeenBy(now, id) != v1::PEER_STATE_ALIVE;
    }));
  }
  peers_[2]->Signal(SIGCONT);
  v1::Status last;
  EXPECT_TRUE(WatchUntil(
      peers_[0]->address(),
      [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_ALIVE; }, &last))
      << last.DebugString();
  EXPECT_TRUE(WatchUntil(peers_[2]->address(), MoreSteps(50)));
}

TEST_F(SwarmTest, KilledCoordinatorStopsNobodyAndTakesThemBackWhenItReturns) {
  ASSERT_NO_FATAL_FAILURE(Start(2));
  const std::string address = coordinator_->address();
  coordinator_->Signal(SIGKILL);
  coordinator_->Wait();
  for (auto& peer : peers_) {
    EXPECT_TRUE(WatchUntil(peer->address(), [](const v1::Status& now) {
      return now.coordinator().configured() && !now.coordinator().connected();
    }));
    EXPECT_TRUE(WatchUntil(peer->address(), MoreSteps(100)));
  }
  const uint64_t exchanges = StatusOf(peers_[0]->address()).gossip().exchanges_committed();
  EXPECT_TRUE(WatchUntil(peers_[0]->address(), [&](const v1::Status& now) {
    return now.gossip().exchanges_committed() > exchanges + 2;
  }));

  std::vector<std::string> flags = kEndless;
  flags.push_back("--min_peers=2");
  flags.insert(flags.begin(), {absl::StrCat("--listen=", address), "--preset=fast"});
  coordinator_ = std::make_unique<Daemon>("coordinator/coordinatord", flags);
  for (auto& peer : peers_) {
    EXPECT_TRUE(WatchUntil(peer->address(), [](const v1::Status& now) {
      return now.coordinator().connected();
    })) << peer->log();
  }
  v1::Status last;
  EXPECT_TRUE(WatchUntil(
      coordinator_->address(),
      [](const v1::Status& now) {
        int alive = 0;
        for (const v1::PeerStatus& peer : now.peers()) alive += peer.state() == v1::PEER_STATE_ALIVE;
        return alive == 2;
      },
      &last))
      << last.DebugString();
}

TEST_F(SwarmTest, GlobalAveragingRoundsCompleteWhileTrainingGoesOn) {
  std::vector<std::string> flags = {"--model=mlp", "--epochs=0", "--algorithm=none",
                                    "--averaging_period=100"};
  ASSERT_NO_FATAL_FAILURE(Start(3, flags));
  for (auto& peer : peers_) {
    v1::Status status;
    EXPECT_TRUE(WatchUntil(
        peer->address(),
        [](const v1::Status& now) { return now.averaging().rounds_complete() >= 2; }, &status))
        << status.DebugString();
    EXPECT_EQ(status.gossip().exchanges_started(), 0u);
  }
}

TEST(PeersWithoutCoordinatorTest, FindEachOtherThroughOneSeedAndSurviveAKill) {
  auto first = StartPeer(kEndless);
  ASSERT_TRUE(WatchUntil(first->address(), Trains)) << first->log();
  auto second = StartPeer({absl::StrCat("--peers=", first->address())});
  auto third = StartPeer({absl::StrCat("--peers=", first->address())});
  const std::string third_address = third->address();
  for (Daemon* peer : {first.get(), second.get(), third.get()}) {
    v1::Status last;
    EXPECT_TRUE(WatchUntil(
        peer->address(),
        [](const v1::Status& now) {
          int alive = 0;
          for (const v1::PeerStatus& member : now.peers()) {
            alive += member.state() == v1::PEER_STATE_ALIVE;
          }
          return alive == 3 && now.gossip().exchanges_committed() > 0;
        },
        &last))
        << last.DebugString();
  }
  const std::string id = StatusOf(third_address).peer_id();
  third->Signal(SIGKILL);
  EXPECT_TRUE(WatchUntil(second->address(), [&](const v1::Status& now) {
    return StateSeenBy(now, id) == v1::PEER_STATE_DEAD;
  }));
  EXPECT_TRUE(WatchUntil(second->address(), MoreSteps(50)));
}

// Directories that peers keep their state in; gone with the test.
class StateDirectory {
 public:
  StateDirectory() : path_(testing::TempDir() + "/peerXXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~StateDirectory() { std::filesystem::remove_all(path_); }
  std::string flag() const { return "--state_dir=" + path_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(PeersWithoutCoordinatorTest, RestartedPeerFindsItsSwarmThoughItsSeedIsGone) {
  StateDirectory state;
  auto seed = StartPeer(kEndless);
  const std::string seed_flag = absl::StrCat("--peers=", seed->address());
  auto other = StartPeer({seed_flag});
  ASSERT_TRUE(WatchUntil(other->address(), Trains)) << other->log();
  auto peer = StartPeer({seed_flag, state.flag()});
  ASSERT_TRUE(WatchUntil(peer->address(), Trains)) << peer->log();
  const std::string id = StatusOf(peer->address()).peer_id();
  const uint64_t incarnation = StatusOf(peer->address()).incarnation();
  ASSERT_TRUE(WatchUntil(peer->address(), [&](const v1::Status&) {
    return std::filesystem::exists(state.path() + "/peers");
  }));
  peer->Signal(SIGKILL);
  peer->Wait();
  seed->Signal(SIGKILL);
  seed->Wait();
  peer = StartPeer({state.flag()});
  v1::Status last;
  EXPECT_TRUE(WatchUntil(
      other->address(),
      [&](const v1::Status& now) { return StateSeenBy(now, id) == v1::PEER_STATE_ALIVE; }, &last))
      << last.DebugString() << peer->log();
  EXPECT_GT(StatusOf(peer->address()).incarnation(), incarnation);
}

TEST(PeersWithoutCoordinatorTest, OfTwoProcessesWithOneStateDirectoryTheSecondEndsAtOnce) {
  StateDirectory state;
  auto first = StartPeer({"--model=mlp", "--epochs=0", state.flag()});
  ASSERT_TRUE(WatchUntil(first->address(), Trains)) << first->log();
  auto second = StartPeer({"--model=mlp", "--epochs=0", state.flag()});
  EXPECT_EQ(second->Wait(), 75) << second->log();
  EXPECT_TRUE(second->LogHas(state.path())) << second->log();
  EXPECT_TRUE(second->LogHas(absl::StrCat("process ", first->pid()))) << second->log();
  EXPECT_FALSE(second->LogHas("listens on", absl::ZeroDuration())) << "it never spoke to anybody";
  EXPECT_TRUE(WatchUntil(first->address(), MoreSteps(50)));
  // Also one that stands still.
  first->Signal(SIGSTOP);
  second = StartPeer({"--model=mlp", "--epochs=0", state.flag()});
  EXPECT_EQ(second->Wait(), 75) << second->log();
  first->Signal(SIGKILL);
  first->Wait();
  second = StartPeer({"--model=mlp", "--epochs=0", state.flag()});
  EXPECT_TRUE(WatchUntil(second->address(), Trains)) << second->log();
}

TEST(PeersWithoutCoordinatorTest, WhoIsGivenAJoinTimeoutFoundsNoSwarmOfItsOwn) {
  // Nobody listens on port 1.
  auto peer = StartPeer({"--model=mlp", "--peers=127.0.0.1:1", "--join_timeout=1s"});
  EXPECT_EQ(peer->Wait(), 75) << peer->log();
  EXPECT_TRUE(peer->LogHas("no peer answers at 127.0.0.1:1")) << peer->log();
}

TEST(PeersWithoutCoordinatorTest, OfTwoProcessesWithOneIdTheOlderEndsWithItsOwnCode) {
  StateDirectory state;
  StateDirectory copy;
  auto older = StartPeer({"--model=mlp", "--epochs=0", state.flag()});
  ASSERT_TRUE(WatchUntil(older->address(), Trains)) << older->log();
  std::filesystem::copy(state.path(), copy.path(), std::filesystem::copy_options::recursive);
  auto newer = StartPeer({absl::StrCat("--peers=", older->address()), copy.flag()});
  EXPECT_EQ(older->Wait(), 76) << older->log();
  EXPECT_TRUE(WatchUntil(newer->address(), Trains)) << newer->log();
}

}  // namespace
}  // namespace starling
