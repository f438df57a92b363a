// What goes wrong before or while starting: one clear line that names the thing, the documented exit
// code, and nothing else disturbed.

#include <algorithm>
#include <cstdlib>
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

struct Outcome {
  int code;
  std::string log;
};

Outcome RunToEnd(const std::string& program, const std::vector<std::string>& flags) {
  Daemon daemon(program, flags);
  const int code = daemon.Wait();
  daemon.LogHas("\x01");  // never there: waits for the end of the log
  return {code, daemon.log()};
}

// The complaint is one line, the last of the log, from the program itself.
std::string LastLine(const std::string& log) {
  const size_t end = log.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const size_t begin = log.find_last_of('\n', end);
  return log.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

TEST(BadInputTest, UnknownFlagNamesTheNearest) {
  for (const std::string program : {"peer/peerd", "coordinator/coordinatord"}) {
    const Outcome outcome = RunToEnd(program, {"--lisen=127.0.0.1:0"});
    EXPECT_EQ(outcome.code, 64) << outcome.log;
    EXPECT_NE(outcome.log.find("--lisen"), std::string::npos) << outcome.log;
    EXPECT_NE(outcome.log.find("--listen"), std::string::npos) << outcome.log;
    EXPECT_EQ(std::count(outcome.log.begin(), outcome.log.end(), '\n'), 1) << outcome.log;
  }
}

TEST(BadInputTest, UnknownAlgorithmNamesTheNearest) {
  const Outcome outcome =
      RunToEnd("peer/peerd", {"--listen=127.0.0.1:0", "--algorithm=elastic_gosip"});
  EXPECT_EQ(outcome.code, 64) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find("elastic_gosip"), std::string::npos) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find("elastic_gossip"), std::string::npos) << outcome.log;
}

TEST(BadInputTest, OptionOutOfRangeNamesTheRange) {
  const Outcome outcome =
      RunToEnd("peer/peerd", {"--listen=127.0.0.1:0", "--algorithm=elastic_gossip:alpha=2"});
  EXPECT_EQ(outcome.code, 64) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find("alpha"), std::string::npos) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find("0.5]"), std::string::npos) << outcome.log;
}

TEST(BadInputTest, UnknownModelIsRefused) {
  for (const std::string program : {"peer/peerd", "coordinator/coordinatord"}) {
    const Outcome outcome = RunToEnd(program, {"--listen=127.0.0.1:0", "--model=mlq"});
    EXPECT_EQ(outcome.code, 64) << outcome.log;
    EXPECT_NE(LastLine(outcome.log).find("mlq"), std::string::npos) << outcome.log;
  }
}

TEST(BadInputTest, OccupiedPortNamesThePort) {
  auto first = StartCoordinator({});
  const std::string address = first->address();
  for (const std::string program : {"peer/peerd", "coordinator/coordinatord"}) {
    const Outcome outcome = RunToEnd(program, {absl::StrCat("--listen=", address)});
    EXPECT_EQ(outcome.code, 69) << outcome.log;
    EXPECT_NE(LastLine(outcome.log).find(address.substr(address.rfind(':') + 1)),
              std::string::npos)
        << outcome.log;
  }
  EXPECT_EQ(StatusOf(address).role(), v1::ROLE_COORDINATOR);
}

TEST(BadInputTest, AbsentDataDirectoryIsNamed) {
  const Outcome outcome =
      RunToEnd("peer/peerd", {"--listen=127.0.0.1:0", "--data_dir=/nowhere/at/all"});
  EXPECT_EQ(outcome.code, 66) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find("/nowhere/at/all"), std::string::npos) << outcome.log;
}

TEST(BadInputTest, TruncatedAndCorruptDataFilesAreNamed) {
  namespace fs = std::filesystem;
  const fs::path source = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(source)) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const fs::path directory = fs::path(testing::TempDir()) / "corrupt";
  fs::remove_all(directory);
  fs::create_directories(directory);
  for (const auto& file : fs::directory_iterator(source)) {
    fs::copy(file.path(), directory / file.path().filename());
  }
  const fs::path victim = directory / "t10k-images-idx3-ubyte.gz";
  fs::permissions(victim, fs::perms::owner_all);
  fs::resize_file(victim, fs::file_size(victim) / 2);
  const std::vector<std::string> flags = {"--listen=127.0.0.1:0",
                                          absl::StrCat("--data_dir=", directory.string())};
  Outcome outcome = RunToEnd("peer/peerd", flags);
  EXPECT_EQ(outcome.code, 65) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find(victim.filename().string()), std::string::npos)
      << outcome.log;

  std::ofstream(victim, std::ios::binary | std::ios::trunc) << "this is not gzip at all";
  outcome = RunToEnd("peer/peerd", flags);
  EXPECT_EQ(outcome.code, 65) << outcome.log;
  EXPECT_NE(LastLine(outcome.log).find(victim.filename().string()), std::string::npos)
      << outcome.log;
}

TEST(BadInputTest, PeerThatInsistsOnAnotherModelIsTurnedAwayAndDisturbsNobody) {
  auto coordinator = StartCoordinator({"--model=mlp", "--epochs=0"});
  auto peer = StartPeer({absl::StrCat("--coordinator=", coordinator->address())});
  ASSERT_TRUE(WatchUntil(peer->address(), [](const v1::Status& status) {
    return status.phase() == v1::PHASE_TRAINING;
  })) << peer->log();
  for (const std::string& way : {absl::StrCat("--coordinator=", coordinator->address()),
                                 absl::StrCat("--peers=", peer->address())}) {
    const Outcome outcome =
        RunToEnd("peer/peerd", {"--listen=127.0.0.1:0", "--model=cnn", way});
    EXPECT_EQ(outcome.code, 78) << outcome.log;
    EXPECT_NE(LastLine(outcome.log).find("mlp"), std::string::npos) << outcome.log;
    EXPECT_NE(LastLine(outcome.log).find("cnn"), std::string::npos) << outcome.log;
  }
  const uint64_t step = StatusOf(peer->address()).training().step();
  EXPECT_TRUE(WatchUntil(peer->address(), [&](const v1::Status& status) {
    return status.training().step() > step + 20;
  }));
  EXPECT_EQ(StatusOf(peer->address()).gossip().refused_size(), 0);
}

TEST(BadInputTest, HelpTeachesAndExitsZero) {
  for (const std::string program :
       {"peer/peerd", "coordinator/coordinatord", "peer/cli/starling"}) {
    const Outcome outcome = RunToEnd(program, {"--help"});
    EXPECT_EQ(outcome.code, 0) << outcome.log;
    EXPECT_NE(outcome.log.find("xit codes"), std::string::npos) << outcome.log;
  }
}

}  // namespace
}  // namespace starling
