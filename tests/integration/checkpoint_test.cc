// What a real daemon keeps on its disk, and what it does with it when it comes back.

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/daemon.h"

namespace starling {
namespace {

std::vector<std::string> FlagsWith(const std::string& state_dir) {
  return {"--model=mlp", "--epochs=0", "--algorithm=elastic_gossip:p=1/4", "--bootstrap",
          "--checkpoint_every=1s", absl::StrCat("--state_dir=", state_dir)};
}

std::string StateDirectory() {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/state-",
                   testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

bool HasSaved(const v1::Status& status) { return status.checkpoint().saved() >= 2; }

TEST(CheckpointTest, APeerThatWasKilledAloneGoesOnFromItsCheckpoint) {
  const std::string directory = StateDirectory();
  auto peer = StartPeer(FlagsWith(directory));
  v1::Status before;
  ASSERT_TRUE(WatchUntil(peer->address(), HasSaved, &before)) << peer->log();
  peer->Signal(SIGKILL);
  EXPECT_EQ(peer->Wait(), 128 + SIGKILL);

  auto again = StartPeer(FlagsWith(directory));
  v1::Status after;
  ASSERT_TRUE(WatchUntil(
      again->address(),
      [](const v1::Status& now) { return now.phase() == v1::PHASE_TRAINING && now.training().step() > 0; },
      &after))
      << again->log();
  EXPECT_TRUE(again->LogHas("going on from the own checkpoint"));
  EXPECT_GE(after.training().step(), before.checkpoint().last_step());
  EXPECT_EQ(after.peer_id(), before.peer_id());
  EXPECT_GT(after.incarnation(), before.incarnation());
}

TEST(CheckpointTest, SigtermSavesTheLastStep) {
  const std::string directory = StateDirectory();
  auto peer = StartPeer(FlagsWith(directory));
  v1::Status before;
  ASSERT_TRUE(WatchUntil(peer->address(), HasSaved, &before)) << peer->log();
  peer->Signal(SIGTERM);
  EXPECT_EQ(peer->Wait(), 0) << peer->log();

  auto again = StartPeer(FlagsWith(directory));
  v1::Status after;
  ASSERT_TRUE(WatchUntil(
      again->address(), [](const v1::Status& now) { return now.training().step() > 0; }, &after));
  EXPECT_GE(after.training().step(), before.training().step());
}

TEST(CheckpointTest, ADirectoryThatCannotBeMadeLeavesTrainingRunningAndIsShown) {
  const std::string directory = StateDirectory();
  // A file where the directory should be stops root, too.
  std::ofstream(directory + "/checkpoints") << "in the way";
  auto peer = StartPeer(FlagsWith(directory));
  v1::Status status;
  ASSERT_TRUE(WatchUntil(
      peer->address(), [](const v1::Status& now) { return now.checkpoint().failed() >= 1; }, &status))
      << peer->log();
  EXPECT_NE(status.checkpoint().last_error().find(directory), std::string::npos);
  const uint64_t step = status.training().step();
  EXPECT_TRUE(WatchUntil(peer->address(),
                         [&](const v1::Status& now) { return now.training().step() >= step + 50; }));
}

}  // namespace
}  // namespace starling
