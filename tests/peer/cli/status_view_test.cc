#include "peer/cli/status_view.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/peer/cli/status_samples.h"

namespace starling {
namespace {

v1::Status StatusWith(const std::string& algorithm) {
  v1::Status status = TrainingAt(50, 100);
  status.mutable_config()->mutable_algorithm()->set_name(algorithm);
  status.mutable_gossip()->set_mass(1);
  return status;
}

TEST(StatusViewTest, RoundsAreShownWhereTheAlgorithmHasThem) {
  v1::Status status = StatusWith("local_sgd");
  status.mutable_rounds()->set_rounds_joined(6);
  status.mutable_rounds()->set_rounds_complete(5);
  status.mutable_rounds()->set_rounds_partial(1);
  status.mutable_rounds()->set_round_seconds(0.0125);
  EXPECT_TRUE(absl::StrContains(RenderStatus(status),
                                "\nrounds\n"
                                "  rounds:                6 joined: 5 complete, 1 partial\n"
                                "  round takes:           12.5 ms\n"))
      << RenderStatus(status);
  EXPECT_TRUE(absl::StrContains(RenderStatus(StatusWith("local_sgd")), "\nrounds\n"));
  EXPECT_FALSE(absl::StrContains(RenderStatus(StatusWith("elastic_gossip")), "\nrounds\n"));
}

TEST(StatusViewTest, RoundsOfAnAlgorithmThatIsTooNewForThisProgramAreShownOnceTheyHappen) {
  v1::Status status = StatusWith("from_the_future");
  EXPECT_FALSE(absl::StrContains(RenderStatus(status), "\nrounds\n"));
  status.mutable_rounds()->set_rounds_joined(1);
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "\nrounds\n"));
}

TEST(StatusViewTest, TheTimeSpentWaitingIsShown) {
  v1::Status status = StatusWith("allreduce_sgd");
  status.mutable_training()->set_waiting_time_share(0.25);
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "time spent waiting:    25.0 %\n"));
}

TEST(StatusViewTest, TheWeightIsShownWhereItIsNotOne) {
  v1::Status status = StatusWith("sgp");
  EXPECT_FALSE(absl::StrContains(RenderStatus(status), "push-sum weight"));
  status.mutable_gossip()->set_mass(0.5);
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "push-sum weight:       0.5000\n"));
  status.mutable_gossip()->set_mass(0);
  EXPECT_FALSE(absl::StrContains(RenderStatus(status), "push-sum weight"));
}

TEST(StatusViewTest, WhatTheDetectorSawAndWhichDeadlinesHoldIsShownWithTheReason) {
  v1::Status status = StatusWith("elastic_gossip");
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "own health:            good\n"));
  EXPECT_FALSE(absl::StrContains(RenderStatus(status), "\nin effect\n"));
  status.mutable_detector()->set_health(2);
  status.mutable_detector()->set_partition_suspected(true);
  v1::EffectiveValue& value = *status.add_effective();
  value.set_name("probe timeout");
  value.set_seconds(0.25);
  value.set_source("preset fast");
  const std::string text = RenderStatus(status);
  EXPECT_TRUE(absl::StrContains(text, "strained: all patience times 3\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "network split:         suspected\n")) << text;
  EXPECT_TRUE(absl::StrContains(text,
                                "\nin effect\n"
                                "  probe timeout:         0.25 s (preset fast)\n"))
      << text;
}

TEST(StatusViewTest, APeersUnusualSilenceIsShown) {
  v1::ListPeersResponse peers;
  peers.add_peers()->set_straggler_score(8.25);
  EXPECT_TRUE(absl::StrContains(RenderPeers(peers), "8.2")) << RenderPeers(peers);
}

TEST(StatusViewTest, ThePeerThatHoldsTheCentreSaysSo) {
  v1::Status status = StatusWith("easgd");
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "role:                  peer\n"));
  status.set_centre(true);
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "peer, holds the centre"));
}

}  // namespace
}  // namespace starling
