// A machine that is not as it should be: no room on the disk, a proxy in the environment, a wall
// clock that jumps, a processor that is slow, a log that nobody reads.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/chaos/swarm.h"

namespace starling {
namespace {

std::string FreshDirectory() {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/",
                   testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

// Becomes a program that alone sees 1 MB of memory in the place of `directory`.
std::vector<std::string> WithSmallDisk(const std::string& directory) {
  return {"unshare", "--mount", "--map-root-user", "sh", "-c",
          absl::StrCat("mount -t tmpfs -o size=1m none ", directory, " && exec \"$0\" \"$@\"")};
}

// How many checkpoints with a manifest that process sees.
int ManifestsOf(const Daemon& daemon, const std::string& directory) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(
           absl::StrCat("/proc/", daemon.pid(), "/root", directory, "/checkpoints"))) {
    count += entry.path().extension() == ".json";
  }
  return count;
}

bool CanMount(const std::string& directory) {
  std::string command = "unshare --mount --map-root-user mount -t tmpfs -o size=1m none ";
  return std::system(absl::StrCat(command, directory, " >/dev/null 2>&1").c_str()) == 0;
}

TEST(DiskTest, FullDiskLeavesThePeerTrainingAndIsSaid) {
  const std::string directory = FreshDirectory();
  if (!HasProgram("unshare") || !CanMount(directory)) {
    GTEST_SKIP() << "needs the right to mount in a namespace of its own: root, or user namespaces";
  }
  RealSwarm swarm(2);
  Daemon& full = swarm.Add({absl::StrCat("--state_dir=", directory), "--checkpoint_every=200ms"},
                           WithSmallDisk(directory));
  ASSERT_TRUE(swarm.Start());
  v1::Status last;
  EXPECT_TRUE(WatchUntil(
      full.address(), [](const v1::Status& now) { return now.checkpoint().failed() >= 3; }, &last))
      << last.DebugString() << full.log();
  EXPECT_TRUE(last.checkpoint().enabled());
  EXPECT_FALSE(last.checkpoint().last_error().empty());
  EXPECT_EQ(last.checkpoint().saved(), 1u) << "one checkpoint of this model fits, two do not";
  EXPECT_EQ(ManifestsOf(full, directory), 1) << "the checkpoint before is gone";
  EXPECT_TRUE(AllGoOn(swarm, {0, 1}));
  EXPECT_TRUE(WatchUntil(full.address(), MoreExchanges(5)));
  full.Signal(SIGTERM);
  EXPECT_EQ(full.Wait(), 0) << full.log();
}

TEST(ProxyVariableTest, DaemonsTalkToEachOtherPastTheProxyOfTheEnvironment) {
  const std::string dead = absl::StrCat("http://127.0.0.1:", FreePort());
  std::vector<std::string> wrapper = {"env", "-u", "no_proxy", "-u", "NO_PROXY"};
  for (const char* name :
       {"http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"}) {
    wrapper.push_back(absl::StrCat(name, "=", dead));
  }
  RealSwarm swarm(2, wrapper);
  swarm.Add({}, wrapper);
  swarm.Add({}, wrapper);
  ASSERT_TRUE(swarm.Start());
  for (int i : {0, 1}) {
    EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), MoreExchanges(5))) << swarm.peer(i).log();
  }
}

// A wall clock that the test sets: libfaketime reads the file again at every call.
class SettableClock {
 public:
  SettableClock() : file_(absl::StrCat(FreshDirectory(), "/clock")) { Set("+0"); }

  // "+3600": an hour ahead of the real one; "-1d": a day behind.
  void Set(const std::string& offset) {
    const std::string next = absl::StrCat(file_, ".next");
    std::ofstream(next) << offset << "\n";
    std::filesystem::rename(next, file_);
  }

  std::vector<std::string> wrapper() const {
    return {"env", absl::StrCat("LD_PRELOAD=", kLibrary),
            absl::StrCat("FAKETIME_TIMESTAMP_FILE=", file_), "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1"};
  }

  static constexpr char kLibrary[] = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

 private:
  const std::string file_;
};

TEST(WallClockTest, JumpsChangeNothing) {
  if (!std::filesystem::exists(SettableClock::kLibrary)) {
    GTEST_SKIP() << "needs " << SettableClock::kLibrary << "; apt-get install faketime";
  }
  SettableClock clock;
  RealSwarm swarm(3, clock.wrapper());
  Daemon& jumper = swarm.Add({}, clock.wrapper());
  ASSERT_TRUE(swarm.Start());
  const std::string id = StatusOf(jumper.address()).peer_id();
  for (const char* offset : {"+3600", "-86400", "+0"}) {
    const int64_t before = StatusOf(jumper.address()).unix_ms();
    clock.Set(offset);
    EXPECT_TRUE(WatchUntil(jumper.address(), [&](const v1::Status& now) {
      return std::abs(now.unix_ms() - before) > 3000000;
    })) << "the clock of the daemon did not jump";
    EXPECT_TRUE(AllGoOn(swarm, {0, 1, 2}, 300)) << "after a jump to " << offset;
    EXPECT_TRUE(WatchUntil(jumper.address(), MoreExchanges(5))) << jumper.log();
    for (int i : {1, 2}) {
      v1::Status now;
      EXPECT_TRUE(WatchUntil(swarm.peer(i).address(), MoreExchanges(5), &now));
      EXPECT_EQ(StateSeenBy(now, id), v1::PEER_STATE_ALIVE) << "after a jump to " << offset;
      EXPECT_EQ(now.detector().deaths(), 0u) << "after a jump to " << offset;
    }
  }
  EXPECT_TRUE(StatusOf(jumper.address()).coordinator().connected());
}

TEST(SlowMachineTest, WhoIsTwentyTimesSlowerHoldsNobodyUpAndIsNotGivenUp) {
  RealSwarm swarm(3);
  Daemon& slow = swarm.Add({"--max_steps_per_second=5"});
  ASSERT_TRUE(swarm.Start());
  const std::string id = StatusOf(slow.address()).peer_id();
  const uint64_t slow_before = StatusOf(slow.address()).training().step();
  EXPECT_TRUE(AllGoOn(swarm, {1, 2}, 500));
  v1::Status behind;
  EXPECT_TRUE(WatchUntil(slow.address(), MoreExchanges(1), &behind)) << slow.log();
  EXPECT_LT(behind.training().step(), slow_before + 400) << "it is not slow";
  for (int i : {1, 2}) {
    const v1::Status status = StatusOf(swarm.peer(i).address());
    EXPECT_EQ(StateSeenBy(status, id), v1::PEER_STATE_ALIVE);
    EXPECT_EQ(status.detector().deaths(), 0u) << swarm.peer(i).log();
  }
}

TEST(NameTest, APeerWhoseNameIsUnknownIsNamedAndTheOthersAreJoined) {
  RealSwarm swarm(2);
  ASSERT_TRUE(swarm.Start());
  // Names below .invalid resolve nowhere.
  auto peer = StartPeer({absl::StrCat("--peers=nowhere.invalid:7700,", swarm.peer(0).address())});
  EXPECT_TRUE(WatchUntil(peer->address(), Trains)) << peer->log();
  EXPECT_TRUE(WatchUntil(peer->address(), MoreExchanges(5))) << peer->log();
  EXPECT_TRUE(peer->LogHas("peer at nowhere.invalid:7700 does not answer")) << peer->log();
  EXPECT_TRUE(peer->LogHas("DNS resolution failed for nowhere.invalid:7700")) << peer->log();
  EXPECT_TRUE(AllGoOn(swarm, {0, 1}));
}

TEST(NameTest, WhoKnowsOnlyUnknownNamesSaysSoAndFoundsASwarm) {
  auto peer = StartPeer({"--model=mlp", "--data=synthetic", "--epochs=0",
                         "--peers=nowhere.invalid:7700"});
  EXPECT_TRUE(WatchUntil(peer->address(), Trains)) << peer->log();
  EXPECT_TRUE(peer->LogHas("no peer answers at nowhere.invalid:7700")) << peer->log();
  EXPECT_TRUE(WatchUntil(peer->address(), MoreSteps(50))) << peer->log();
}

TEST(NameTest, ACoordinatorWhoseNameIsUnknownIsAskedForEver) {
  auto peer = StartPeer({"--coordinator=nowhere.invalid:7600"});
  EXPECT_TRUE(peer->LogHas("coordinator at nowhere.invalid:7600 does not answer")) << peer->log();
  EXPECT_TRUE(peer->LogHas("DNS resolution failed")) << peer->log();
  peer->Signal(SIGTERM);
  EXPECT_EQ(peer->Wait(), 0) << peer->log();
}

// A pipe that is full and that nobody reads.
class DeafPipe {
 public:
  DeafPipe() : path_(absl::StrCat(FreshDirectory(), "/pipe")) {
    if (mkfifo(path_.c_str(), 0600) != 0) std::abort();
    fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    const std::string page(4096, '.');
    while (write(fd_, page.data(), page.size()) > 0) {
    }
  }
  ~DeafPipe() { close(fd_); }
  std::vector<std::string> wrapper() const {
    return {"sh", "-c", absl::StrCat("exec \"$0\" \"$@\" 2>", path_)};
  }

 private:
  const std::string path_;
  int fd_;
};

TEST(LogTest, LogThatNobodyReadsStopsNobody) {
  DeafPipe pipe;
  RealSwarm swarm(3);
  swarm.Add();
  swarm.Add();
  // It cannot say where it listens.
  const std::string address = absl::StrCat("127.0.0.1:", FreePort());
  auto mute = StartPeer({absl::StrCat("--coordinator=", swarm.coordinator().address()),
                         absl::StrCat("--listen=", address), "--max_steps_per_second=100"},
                        pipe.wrapper());
  EXPECT_TRUE(WatchUntil(address, Trains));
  EXPECT_TRUE(WatchUntil(address, MoreExchanges(5)));
  swarm.peer(1).Signal(SIGKILL);  // something to say
  EXPECT_TRUE(
      WatchUntil(address, [](const v1::Status& now) { return now.detector().deaths() > 0; }));
  EXPECT_TRUE(WatchUntil(address, MoreSteps(100)));
  mute->Signal(SIGTERM);
  EXPECT_EQ(mute->Wait(), 0);
}

}  // namespace
}  // namespace starling
