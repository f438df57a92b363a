#include "peer/cli/demo_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"

namespace starling {
namespace {

bool Has(const std::vector<std::string>& arguments, const std::string& argument) {
  return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
}

bool HasFlag(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return absl::StartsWith(argument, flag + "=");
  });
}

TEST(DemoOptionsTest, TheDefaultsAreValid) { EXPECT_TRUE(DemoOptions().Validate().ok()); }

TEST(DemoOptionsTest, ValuesOutOfRangeAreNamed) {
  const auto complaint = [](DemoOptions options) {
    const absl::Status status = options.Validate();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_TRUE(absl::StrContains(complaint({.peers = 0}), "--peers=0"));
  EXPECT_TRUE(absl::StrContains(complaint({.peers = 65}), "--peers=65"));
  EXPECT_TRUE(absl::StrContains(complaint({.peers = 1, .churn = true}), "--churn"));
  EXPECT_TRUE(absl::StrContains(complaint({.epochs = 0}), "--epochs=0"));
  EXPECT_TRUE(absl::StrContains(complaint({.epochs = NAN}), "--epochs=nan"));
  EXPECT_TRUE(absl::StrContains(complaint({.seed = 0}), "--seed=0"));
  EXPECT_TRUE(absl::StrContains(complaint({.learning_rate = -1}), "--learning_rate=-1"));
  EXPECT_TRUE(absl::StrContains(complaint({.decay_share = 2}), "--decay_share=2"));
  EXPECT_TRUE(absl::StrContains(complaint({.batch_size = -1}), "--batch_size=-1"));
  EXPECT_TRUE(absl::StrContains(complaint({.dirichlet_alpha = -1}), "--dirichlet_alpha=-1"));
  EXPECT_TRUE(absl::StrContains(complaint({.averaging_period = -1}), "--averaging_period=-1"));
  EXPECT_TRUE(absl::StrContains(complaint({.pace = INFINITY}), "--pace=inf"));
  EXPECT_TRUE(absl::StrContains(complaint({.timeout = absl::ZeroDuration()}), "--timeout=0"));
}

TEST(DemoOptionsTest, TheCoordinatorGetsTheRunAndTheNumberOfPeers) {
  const auto arguments =
      CoordinatorArguments({.peers = 3, .algorithm = "none", .dirichlet_alpha = 0.3}, "/t/a");
  EXPECT_TRUE(Has(arguments, "--min_peers=3"));
  EXPECT_TRUE(Has(arguments, "--algorithm=none"));
  EXPECT_TRUE(Has(arguments, "--dirichlet_alpha=0.3"));
  EXPECT_TRUE(Has(arguments, "--address_file=/t/a"));
  EXPECT_TRUE(Has(arguments, "--listen=127.0.0.1:0"));
}

TEST(DemoOptionsTest, TheCentreIsOneMoreToWaitForAndReadsNoData) {
  const auto with = CoordinatorArguments({.peers = 3, .algorithm = "easgd", .centre = true}, "/t/a");
  EXPECT_TRUE(Has(with, "--min_peers=4"));
  EXPECT_TRUE(Has(with, "--parts=3"));
  const auto without = CoordinatorArguments({.peers = 3}, "/t/a");
  EXPECT_TRUE(Has(without, "--min_peers=3"));
  EXPECT_TRUE(Has(without, "--parts=3"));
}

TEST(DemoOptionsTest, TheFinalMergeIsPassedOnIfAskedFor) {
  EXPECT_TRUE(Has(CoordinatorArguments({.final_merge = true}, "/t/a"), "--final_merge"));
  EXPECT_FALSE(Has(CoordinatorArguments({}, "/t/a"), "--final_merge"));
}

TEST(DemoOptionsTest, WhatWasNotAskedForIsLeftToTheDaemons) {
  const auto arguments = CoordinatorArguments({}, "/t/a");
  for (const char* flag :
       {"--optimizer", "--learning_rate", "--batch_size", "--averaging_period"}) {
    EXPECT_FALSE(HasFlag(arguments, flag)) << flag;
  }
}

TEST(DemoOptionsTest, PeersGetTheCoordinatorAndWhereTheirFilesAre) {
  const auto arguments = PeerArguments({.data_dir = "/data"}, "p1", false, "127.0.0.1:9", "/t/a");
  EXPECT_TRUE(Has(arguments, "--coordinator=127.0.0.1:9"));
  EXPECT_TRUE(Has(arguments, "--name=p1"));
  EXPECT_TRUE(Has(arguments, "--address_file=/t/a"));
  EXPECT_TRUE(Has(arguments, "--data_dir=/data"));
  EXPECT_FALSE(HasFlag(arguments, "--max_steps_per_second"));
  EXPECT_FALSE(Has(arguments, "--centre"));
  EXPECT_TRUE(Has(arguments, "--request_codec=fp32"));
  EXPECT_TRUE(Has(PeerArguments({.reply_codec = "int8"}, "p1", false, "127.0.0.1:9", "/t/a"),
                  "--reply_codec=int8"));
  EXPECT_TRUE(Has(PeerArguments({}, "centre", true, "127.0.0.1:9", "/t/a"), "--centre"));
}

TEST(DemoOptionsTest, ChurnPacesThePeersUnlessToldOtherwise) {
  EXPECT_EQ(EffectivePace({}), 0);
  // 4 peers with 15,000 examples each make 3 epochs of batches of 32 in 25 s.
  EXPECT_DOUBLE_EQ(EffectivePace({.churn = true}), 15000.0 / 32 * 3 / 25);
  EXPECT_EQ(EffectivePace({.churn = true, .pace = 0}), 0);
  EXPECT_EQ(EffectivePace({.pace = 12}), 12);
}

}  // namespace
}  // namespace starling
