#include "peer/membership/known_peers_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

class KnownPeersFileTest : public testing::Test {
 protected:
  KnownPeersFileTest() {
    std::string path = testing::TempDir() + "/peersXXXXXX";
    directory_ = mkdtemp(path.data());
  }
  ~KnownPeersFileTest() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
};

TEST_F(KnownPeersFileTest, WhatWasSavedIsThereAfterwards) {
  const std::vector<std::string> peers = {"10.0.0.1:7000", "[::1]:7001", "host.example:7002"};
  ASSERT_TRUE(SaveKnownPeers(directory_, peers).ok());
  EXPECT_EQ(LoadKnownPeers(directory_), peers);
  ASSERT_TRUE(SaveKnownPeers(directory_, {"10.0.0.9:7000"}).ok());
  EXPECT_EQ(LoadKnownPeers(directory_), std::vector<std::string>{"10.0.0.9:7000"});
}

TEST_F(KnownPeersFileTest, NoFileOrNoDirectoryIsAnEmptyList) {
  EXPECT_TRUE(LoadKnownPeers(directory_).empty());
  EXPECT_TRUE(LoadKnownPeers("").empty());
  EXPECT_TRUE(LoadKnownPeers(directory_ + "/absent").empty());
}

TEST_F(KnownPeersFileTest, DamagedLinesAreSkipped) {
  std::ofstream(directory_ + "/peers")
      << "nonsense\n10.0.0.1:7000\r\n\n10.0.0.1:0\n" << std::string(3000, 'x') << ":1\n10.0.0.2:7000";
  EXPECT_EQ(LoadKnownPeers(directory_),
            (std::vector<std::string>{"10.0.0.1:7000", "10.0.0.2:7000"}));
}

TEST_F(KnownPeersFileTest, TheListIsBounded) {
  std::vector<std::string> peers;
  for (int i = 0; i < 100; ++i) peers.push_back(absl::StrCat("10.0.0.1:", 7000 + i));
  ASSERT_TRUE(SaveKnownPeers(directory_, peers).ok());
  EXPECT_EQ(LoadKnownPeers(directory_).size(), kMostKnownPeers);
}

TEST_F(KnownPeersFileTest, AnUnwritableDirectoryIsReported) {
  EXPECT_FALSE(SaveKnownPeers(directory_ + "/absent", {"10.0.0.1:7000"}).ok());
}

}  // namespace
}  // namespace starling
