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

TEST(StatusViewTest, LongNamesOfDeadlinesStayInLine) {
  v1::Status status = StatusWith("elastic_gossip");
  for (const char* name : {"probe timeout", "exchange deadline, longest"}) {
    v1::EffectiveValue& value = *status.add_effective();
    value.set_name(name);
    value.set_seconds(2);
    value.set_source("why");
  }
  const std::string text = RenderStatus(status);
  EXPECT_TRUE(absl::StrContains(text,
                                "\nin effect\n"
                                "  probe timeout:              2.00 s (why)\n"
                                "  exchange deadline, longest: 2.00 s (why)\n"))
      << text;
}

TEST(StatusViewTest, RollBacksAreShownWithTheReasonAndWhatTheyCost) {
  v1::Status status = StatusWith("elastic_gossip");
  EXPECT_TRUE(absl::StrContains(RenderStatus(status), "\nrecovery\n  roll-backs:            none\n"));
  v1::RecoveryStatus& recovery = *status.mutable_recovery();
  recovery.set_rollbacks(3);
  recovery.set_in_a_row(2);
  recovery.set_last_step(812);
  recovery.set_last_reason("the loss is nan");
  recovery.set_rate_scale(0.125);
  const std::string text = RenderStatus(status);
  EXPECT_TRUE(absl::StrContains(
      text, "  roll-backs:            3, 2 in a row, the last at step 812: the loss is nan\n"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "  learning rate:         times 0.1250 since\n")) << text;
}

TEST(StatusViewTest, WhoSentBadDataIsShownAndForHowLongNobodyListensToIt) {
  v1::Status status = StatusWith("elastic_gossip");
  EXPECT_TRUE(absl::StrContains(RenderStatus(status),
                                "\nbad data of others\n  offences, quarantines: 0, 0\n"));
  status.clear_peers();
  status.mutable_gossip()->set_offences(5);
  status.mutable_gossip()->set_quarantines(1);
  v1::PeerStatus& quarantined = *status.add_peers();
  quarantined.set_peer_id("00000000000000ab");
  quarantined.set_state(v1::PEER_STATE_QUARANTINED);
  quarantined.set_reason("quarantined: NaN or infinity");
  quarantined.set_quarantined_seconds_left(90);
  quarantined.set_offences(3);
  v1::PeerStatus& offender = *status.add_peers();
  offender.set_peer_id("00000000000000cd");
  offender.set_state(v1::PEER_STATE_ALIVE);
  offender.set_offences(2);
  const std::string text = RenderStatus(status);
  EXPECT_TRUE(absl::StrContains(text, "  offences, quarantines: 5, 1\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "  00000000000000ab:      not listened to for ")) << text;
  EXPECT_TRUE(absl::StrContains(text, ": quarantined: NaN or infinity\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "  00000000000000cd:      2 within the last ten minutes\n"))
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
