#include "peer/runtime/directory_lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

std::string Fresh(const std::string& name) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::filesystem::remove_all(path);
  return path;
}

TEST(DirectoryLockTest, WhoComesSecondIsToldWhoHoldsItAndWhatToDo) {
  const std::string directory = Fresh("lock-second");
  const auto first = DirectoryLock::Take(directory);
  ASSERT_TRUE(first.ok()) << first.status();
  // flock is by open file, so this process can come second to itself.
  const absl::Status second = DirectoryLock::Take(directory).status();
  EXPECT_TRUE(absl::IsAlreadyExists(second));
  EXPECT_TRUE(absl::StrContains(second.message(), directory)) << second;
  EXPECT_TRUE(absl::StrContains(second.message(), absl::StrCat("process ", getpid(), ",")))
      << second;
  EXPECT_TRUE(absl::StrContains(second.message(), "--state_dir")) << second;
}

TEST(DirectoryLockTest, ItIsFreeAgainWhenItsHolderIsGone) {
  const std::string directory = Fresh("lock-again");
  {
    auto first = DirectoryLock::Take(directory);
    ASSERT_TRUE(first.ok());
    absl::optional<DirectoryLock> kept(*std::move(first));
    EXPECT_FALSE(DirectoryLock::Take(directory).ok()) << "moving it keeps it";
  }
  EXPECT_TRUE(DirectoryLock::Take(directory).ok());
}

TEST(DirectoryLockTest, AFileLeftBehindMeansNothing) {
  const std::string directory = Fresh("lock-left");
  std::filesystem::create_directories(directory);
  std::ofstream(directory + "/lock") << "no number at all, and of some length";
  const auto first = DirectoryLock::Take(directory);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(absl::StrContains(DirectoryLock::Take(directory).status().message(),
                                absl::StrCat("process ", getpid(), ",")));
}

TEST(DirectoryLockTest, WhereThereCanBeNoDirectoryTheReasonIsSaid) {
  const std::string file = Fresh("lock-file");
  std::ofstream(file) << "a file";
  const absl::Status status = DirectoryLock::Take(file + "/below").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_TRUE(absl::StrContains(status.message(), file)) << status;
}

}  // namespace
}  // namespace starling
