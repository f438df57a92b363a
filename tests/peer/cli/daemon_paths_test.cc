#include "peer/cli/daemon_paths.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "peer/cli/temp_directory.h"

namespace starling {
namespace {

class DaemonPathsTest : public ::testing::Test {
 protected:
  DaemonPathsTest() {
    unsetenv("STARLING_PEERD");
    unsetenv("STARLING_COORDINATORD");
  }

  std::string MakeProgram(const std::string& relative) {
    const std::filesystem::path path = directory_.path() + "/" + relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "#!/bin/sh\n";
    chmod(path.c_str(), 0755);
    return path;
  }

  TempDirectory directory_ = *TempDirectory::Create("paths-test-");
};

TEST_F(DaemonPathsTest, InstalledProgramsStandSideBySide) {
  const std::string peerd = MakeProgram("bin/peerd");
  const std::string coordinatord = MakeProgram("bin/coordinatord");
  const auto paths = FindDaemons(directory_.path() + "/bin");
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->peerd, peerd);
  EXPECT_EQ(paths->coordinatord, coordinatord);
}

TEST_F(DaemonPathsTest, BuiltProgramsAreWhereBazelPutsThem) {
  const std::string peerd = MakeProgram("bazel-bin/peer/peerd");
  const std::string coordinatord = MakeProgram("bazel-bin/coordinator/coordinatord");
  MakeProgram("bazel-bin/peer/cli/starling");
  const auto paths = FindDaemons(directory_.path() + "/bazel-bin/peer/cli");
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->peerd, peerd);
  EXPECT_EQ(paths->coordinatord, coordinatord);
}

TEST_F(DaemonPathsTest, TheEnvironmentComesFirst) {
  MakeProgram("bin/peerd");
  MakeProgram("bin/coordinatord");
  const std::string other = MakeProgram("other/peerd");
  setenv("STARLING_PEERD", other.c_str(), 1);
  const auto paths = FindDaemons(directory_.path() + "/bin");
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->peerd, other);
}

TEST_F(DaemonPathsTest, WhatIsMissingIsNamed) {
  MakeProgram("bin/peerd");
  const absl::Status status = FindDaemons(directory_.path() + "/bin").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "coordinatord")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "bazel build //coordinator:coordinatord"));
}

TEST_F(DaemonPathsTest, ADirectoryOfThatNameIsNoProgram) {
  std::filesystem::create_directories(directory_.path() + "/bin/peerd");
  EXPECT_FALSE(FindDaemons(directory_.path() + "/bin").ok());
}

}  // namespace
}  // namespace starling
