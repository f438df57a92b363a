// Somebody dies, or stands still, at every step of the protocol that has a name (peer/runtime/failpoint.h): the
// others go on, whoever stood still comes back, and whoever died is dead to all. New steps are met by
// themselves; a room that is not known here fails. Every day a fourth of the steps; all of them, in seven minutes:
//
//   STARLING_FAILPOINTS=all bazel test --test_env=STARLING_FAILPOINTS //tests/chaos:failpoint_test

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "peer/runtime/failpoint.h"
#include "tests/chaos/grpc_liar.h"
#include "tests/chaos/swarm.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

std::string RoomOf(const FailpointRow& row) {
  return std::vector<std::string>(absl::StrSplit(row.name, '.')).front();
}

// Every fourth of a room; all of them if STARLING_FAILPOINTS is "all".
std::vector<std::string> PointsOf(const std::string& room) {
  const char* const asked = std::getenv("STARLING_FAILPOINTS");
  const size_t stride = asked != nullptr && asked == absl::string_view("all") ? 1 : 4;
  std::vector<std::string> points;
  size_t seen = 0;
  for (const FailpointRow& row : kFailpoints) {
    if (RoomOf(row) == room && seen++ % stride == 0) points.emplace_back(row.name);
  }
  return points;
}

std::set<std::string> Rooms() {
  std::set<std::string> rooms;
  for (const FailpointRow& row : kFailpoints) rooms.insert(RoomOf(row));
  return rooms;
}

// A kind of swarm in which the points of a room are reached.
struct Scene {
  // Flags of the coordinator, and of whoever is to fail.
  std::vector<std::string> run;
  std::vector<std::string> armed;
  // How whoever is armed and trains is brought to its point; default: it gets there by itself.
  std::function<void(RealSwarm&, const std::vector<Daemon*>&)> provoke;
  // One more peer that does not answer others by then.
  bool somebody_silent = false;
  // With a directory of its own: who died is started again.
  bool keeps_state = false;
  // Who stood still ends, in good order, instead of training on.
  bool ends = false;
  int hits_to_pass = 0;
};

bool HasFailed(Daemon& daemon) { return daemon.LogHas("failpoint ", absl::ZeroDuration()); }

// Until each has been asked for parameters: newcomers choose among all.
void AddNewcomers(RealSwarm& swarm, const std::vector<Daemon*>& armed) {
  for (int i = 0; i < 8 && !std::all_of(armed.begin(), armed.end(),
                                        [](Daemon* peer) { return HasFailed(*peer); });
       ++i) {
    const std::unique_ptr<Daemon> newcomer = swarm.NewPeer();
    EXPECT_TRUE(WatchUntil(newcomer->address(), Trains)) << newcomer->log();
    newcomer->Signal(SIGTERM);
    EXPECT_EQ(newcomer->Wait(), 0) << newcomer->log();
  }
}

// Somebody refuses whatever is asked of it, and asks what must be refused.
void Refuse(RealSwarm& swarm, const std::vector<Daemon*>& armed) {
  const std::string& member = swarm.peer(0).address();
  Liar liar(member, StatusOf(member).training().parameters(), [](v1::ShardFrame& frame) {
    frame.clear_payload();
    frame.mutable_header()->set_refused_kind(v1::FRAME_KIND_MIX_REQUEST);
    frame.mutable_header()->set_kind(v1::FRAME_KIND_REFUSAL);
    frame.mutable_header()->set_refusal(v1::REFUSAL_REASON_BUSY);
  });
  for (Daemon* peer : armed) {
    for (int i = 0; i < 60 && !HasFailed(*peer); ++i) {
      liar.Ask(
          peer->address(),
          [](v1::ShardFrame& frame) { frame.mutable_header()->set_shard_count(1000); },
          absl::Seconds(1));
      // Or it asks somebody itself.
      peer->LogHas("failpoint ", absl::Seconds(1));
    }
  }
}

void TellToLeave(RealSwarm&, const std::vector<Daemon*>& armed) {
  for (Daemon* peer : armed) peer->Signal(SIGTERM);
}

void WaitForIt(RealSwarm&, const std::vector<Daemon*>&) {}

absl::optional<Scene> SceneOf(const std::string& room, const std::string& directory) {
  // Many shards of the usual model, so that the first of them is not the last; averages wait for the dead until
  // their deadline.
  const std::string shards = absl::StrCat("--config=", directory, "/shards");
  std::ofstream(absl::StrCat(directory, "/shards")) << "shard_elements: 8192\n"
                                                     << "averaging { deadline_seconds: 1 }\n";
  Scene scene;
  if (room == "exchange" || room == "joining") {
    scene.run = {shards};
  } else if (room == "donor") {
    scene.run = {shards};
    scene.provoke = AddNewcomers;
  } else if (room == "round") {
    scene.run = {shards, "--algorithm=local_sgd:tau=8"};
  } else if (room == "neighbours") {
    scene.run = {shards, "--algorithm=dpsgd:tau=4"};
  } else if (room == "averaging") {
    scene.run = {shards, "--algorithm=none", "--averaging_period=40"};
  } else if (room == "file" || room == "checkpoint") {
    scene.armed = {"--checkpoint_every=300ms"};
    scene.keeps_state = true;
    scene.hits_to_pass = room == "file" ? 2 : 0;
  } else if (room == "relay") {
    scene.somebody_silent = true;
    scene.provoke = WaitForIt;
  } else if (room == "leaving") {
    scene.provoke = TellToLeave;
    scene.ends = true;
  } else if (room != "registration" && room != "membership") {
    return absl::nullopt;
  }
  return scene;
}

// Whatever brings peers together, done with.
uint64_t Mixes(const v1::Status& status) {
  return status.gossip().exchanges_committed() + status.gossip().exchanges_answered() +
         status.rounds().rounds_complete() + status.rounds().rounds_partial() +
         status.averaging().rounds_complete() + status.averaging().rounds_partial();
}

bool AllMixOn(RealSwarm& swarm, uint64_t mixes = 3) {
  bool all = AllGoOn(swarm, {0, 1}, 20);
  for (int i : {0, 1}) {
    uint64_t first = UINT64_MAX;
    v1::Status last;
    const auto more = [&](const v1::Status& now) {
      if (first == UINT64_MAX) first = Mixes(now);
      return Mixes(now) >= first + mixes;
    };
    if (WatchUntil(swarm.peer(i).address(), more, &last)) continue;
    ADD_FAILURE() << "peer " << i << " mixes with nobody: " << last.DebugString();
    all = false;
  }
  return all;
}

// 'T' once it is stopped.
char ProcessState(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string number, name, state;
  file >> number >> name >> state;
  return state.empty() ? '?' : state.front();
}

bool Reaches(Daemon& daemon, const std::string& point, const std::string& action) {
  if (daemon.LogHas(absl::StrCat("failpoint ", point, ": ", action, "\n"))) return true;
  ADD_FAILURE() << "never reaches " << point << ":\n" << daemon.log();
  return false;
}

// Dead by that signal, or stopped by it.
void ExpectKilled(Daemon& daemon) { EXPECT_EQ(daemon.Wait(), 128 + SIGKILL) << daemon.log(); }

void ExpectStopped(Daemon& daemon, Daemon& witness) {
  EXPECT_TRUE(WatchUntil(witness.address(), [&](const v1::Status&) {
    return ProcessState(daemon.pid()) == 'T';
  })) << ProcessState(daemon.pid());
}

void ExpectSeen(RealSwarm& swarm, const std::string& id, const std::set<v1::PeerState>& states) {
  for (int i : {0, 1}) {
    v1::Status last;
    EXPECT_TRUE(WatchUntil(
        swarm.peer(i).address(),
        [&](const v1::Status& now) { return states.count(StateSeenBy(now, id)) > 0; }, &last))
        << "peer " << i << " and " << id << ": " << last.DebugString();
  }
}

// Not known any more, or not by everybody: some die before anybody has heard of them.
const std::set<v1::PeerState> kGone = {v1::PEER_STATE_DEAD, v1::PEER_STATE_LEFT,
                                       v1::PEER_STATE_UNSPECIFIED};

// By its log: it may be dead.
std::string IdOf(Daemon& peer) {
  const std::string log = peer.log();
  const size_t end = log.find(" listens on ");
  if (end == std::string::npos) return "";
  const size_t begin = log.rfind(' ', end - 1) + 1;
  return log.substr(begin, end - begin);
}

class FailpointTest : public testing::TestWithParam<std::string> {
 protected:
  FailpointTest() : directory_(testing::TempDir() + "/failpointsXXXXXX") {
    if (mkdtemp(directory_.data()) == nullptr) std::abort();
  }
  ~FailpointTest() override { std::filesystem::remove_all(directory_); }

  std::vector<std::string> Armed(const Scene& scene, const std::string& point,
                                 const std::string& action) {
    std::vector<std::string> flags = scene.armed;
    flags.push_back(
        absl::StrCat("--failpoint=", point, "=", action, ":after=", scene.hits_to_pass));
    if (scene.keeps_state) flags.push_back(StateOf(point, action));
    return flags;
  }

  std::string StateOf(const std::string& point, const std::string& action) {
    return absl::StrCat("--state_dir=", directory_, "/", point, ".", action);
  }

  std::string directory_;
};

void Wave(RealSwarm& swarm, const Scene& scene, Daemon& killed, Daemon& stopped,
          const std::string& point) {
  std::unique_ptr<Daemon> silent;
  if (scene.somebody_silent) silent = swarm.NewPeer();
  const bool refusal = absl::StrContains(point, "refusal");
  if (scene.provoke != nullptr || refusal) {
    // One may fail at the other's doing as soon as it trains.
    for (Daemon* peer : {&killed, &stopped}) {
      ASSERT_TRUE(peer->LogHas("phase PHASE_TRAINING")) << peer->log();
    }
    if (silent != nullptr) {
      ASSERT_TRUE(WatchUntil(silent->address(), Trains)) << silent->log();
      silent->Signal(SIGSTOP);
    }
    (refusal ? Refuse : scene.provoke)(swarm, {&killed, &stopped});
  }
  ASSERT_TRUE(Reaches(killed, point, "kill"));
  ExpectKilled(killed);
  ASSERT_TRUE(Reaches(stopped, point, "stop"));
  ExpectStopped(stopped, swarm.peer(0));
  EXPECT_TRUE(AllMixOn(swarm));
  std::set<v1::PeerState> silent_states = kGone;
  silent_states.insert(v1::PEER_STATE_SUSPECT);
  ExpectSeen(swarm, IdOf(stopped), silent_states);
  stopped.Signal(SIGCONT);
  if (!scene.ends) {
    EXPECT_TRUE(WatchUntil(stopped.address(), Trains)) << stopped.log();
    EXPECT_TRUE(WatchUntil(stopped.address(), MoreSteps(10))) << stopped.log();
    ExpectSeen(swarm, IdOf(stopped), {v1::PEER_STATE_ALIVE});
    stopped.Signal(SIGTERM);
  }
  EXPECT_EQ(stopped.Wait(), 0) << stopped.log();
}

TEST_P(FailpointTest, WhereverSomebodyFailsTheOthersGoOn) {
  const absl::optional<Scene> scene = SceneOf(GetParam(), directory_);
  ASSERT_TRUE(scene) << "this test knows no swarm in which points of " << GetParam()
                     << " are reached; say so in SceneOf";
  RealSwarm swarm(2, {}, scene->run);
  ASSERT_TRUE(swarm.Start());
  std::vector<std::string> dead;
  for (const std::string& point : PointsOf(GetParam())) {
    SCOPED_TRACE(point);
    std::unique_ptr<Daemon> killed = swarm.NewPeer(Armed(*scene, point, "kill"));
    std::unique_ptr<Daemon> stopped = swarm.NewPeer(Armed(*scene, point, "stop"));
    ASSERT_NO_FATAL_FAILURE(Wave(swarm, *scene, *killed, *stopped, point));
    if (!scene->keeps_state) {
      dead.push_back(IdOf(*killed));
      continue;
    }
    // It finds what it left behind in order.
    killed = swarm.NewPeer({StateOf(point, "kill")});
    EXPECT_TRUE(WatchUntil(killed->address(), Trains)) << killed->log();
    killed->Signal(SIGTERM);
    EXPECT_EQ(killed->Wait(), 0) << killed->log();
  }
  for (const std::string& id : dead) ExpectSeen(swarm, id, kGone);
  for (int i : {0, 1}) {
    EXPECT_EQ(swarm.peer(i).Wait(absl::ZeroDuration()), -1) << "it has ended";
    v1::Status last;
    EXPECT_TRUE(WatchUntil(
        swarm.peer(i).address(),
        [](const v1::Status& now) {
          int alive = 0;
          for (const v1::PeerStatus& peer : now.peers()) {
            alive += peer.state() == v1::PEER_STATE_ALIVE || peer.state() == v1::PEER_STATE_JOINING;
          }
          return alive == 2;
        },
        &last))
        << last.DebugString();
  }
  EXPECT_TRUE(AllMixOn(swarm));
}

std::set<std::string> RoomsOfPeers() {
  std::set<std::string> rooms = Rooms();
  rooms.erase("coordinator");
  return rooms;
}

INSTANTIATE_TEST_SUITE_P(Rooms, FailpointTest, testing::ValuesIn(RoomsOfPeers()),
                         [](const auto& info) { return info.param; });

TEST(FailpointFlagTest, StepsThatAreNotThereAreRefusedWithThoseThatAre) {
  for (const char* program : {"peer/peerd", "coordinator/coordinatord"}) {
    Daemon daemon(program, {"--listen=127.0.0.1:0", "--failpoint=exchange.reply_snet=kill"});
    EXPECT_EQ(daemon.Wait(), 64) << program;
    EXPECT_TRUE(daemon.LogHas("did you mean \"exchange.reply_sent\"")) << daemon.log();
    EXPECT_TRUE(daemon.LogHas(kFailpoints[kFailpointCount - 1].name)) << daemon.log();
    Daemon help(program, {"--help"});
    EXPECT_EQ(help.Wait(), 0) << program;
    EXPECT_TRUE(help.LogHas("--listen")) << help.log();
    EXPECT_FALSE(help.LogHas("--failpoint", absl::ZeroDuration())) << help.log();
  }
}

TEST(CoordinatorFailpointTest, WhereverItFailsThePeersGoOnAndComeBackToIt) {
  RealSwarm swarm(2);
  ASSERT_TRUE(swarm.Start());
  for (const std::string& point : PointsOf("coordinator")) {
    SCOPED_TRACE(point);
    swarm.ReplaceCoordinator({absl::StrCat("--failpoint=", point, "=kill")});
    ASSERT_TRUE(Reaches(swarm.coordinator(), point, "kill"));
    ExpectKilled(swarm.coordinator());
    EXPECT_TRUE(AllMixOn(swarm));
    swarm.ReplaceCoordinator({absl::StrCat("--failpoint=", point, "=stop")});
    ASSERT_TRUE(Reaches(swarm.coordinator(), point, "stop"));
    ExpectStopped(swarm.coordinator(), swarm.peer(0));
    EXPECT_TRUE(AllMixOn(swarm));
    swarm.coordinator().Signal(SIGCONT);
    for (int i : {0, 1}) {
      EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), [](const v1::Status& now) {
        return now.coordinator().connected();
      })) << swarm.peer(i).log();
    }
  }
}

}  // namespace
}  // namespace starling
