#include "peer/cli/doctor.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

using Kind = Finding::Kind;

DoctorFacts Reached(const std::string& endpoint, const std::string& id) {
  DoctorFacts facts;
  facts.endpoint = endpoint;
  facts.tcp.outcome = TcpProbe::Outcome::kOpen;
  facts.tcp.addresses = {endpoint.substr(0, endpoint.find(':'))};
  facts.answered_in = absl::Milliseconds(3);
  facts.seen = absl::FromUnixSeconds(1'700'000'000);
  v1::Status status;
  status.set_role(v1::ROLE_PEER);
  status.set_peer_id(id);
  status.set_incarnation(1);
  status.set_run_id("00000000000000aa");
  status.set_model_fingerprint("00000000000000bb");
  status.set_version("0.3.0");
  status.set_address(endpoint);
  status.set_phase(v1::PHASE_TRAINING);
  status.set_unix_ms(1'700'000'000'000);
  status.mutable_config()->mutable_model()->set_name("mlp");
  facts.status = status;
  return facts;
}

void Sees(DoctorFacts& viewer, const DoctorFacts& sought, v1::PeerState state,
          const std::string& reason = "") {
  v1::PeerStatus* row = viewer.status->add_peers();
  row->set_peer_id(sought.status->peer_id());
  row->set_incarnation(sought.status->incarnation());
  row->set_address(sought.status->address());
  row->set_state(state);
  row->set_reason(reason);
}

absl::optional<Finding> Find(const std::vector<Finding>& findings, absl::string_view topic) {
  for (const Finding& finding : findings) {
    if (finding.topic == topic) return finding;
  }
  return absl::nullopt;
}

class DoctorTest : public ::testing::Test {
 protected:
  DoctorFacts one_ = Reached("10.0.0.7:7700", "0000000000000001");
  DoctorFacts other_ = Reached("10.0.0.8:7700", "0000000000000002");
};

TEST_F(DoctorTest, AHealthyDaemonHasNoProblem) {
  EXPECT_FALSE(AnyProblem(Examine(one_)));
  Sees(one_, other_, v1::PEER_STATE_ALIVE);
  Sees(other_, one_, v1::PEER_STATE_ALIVE);
  EXPECT_FALSE(AnyProblem(Compare(one_, other_)));
}

TEST_F(DoctorTest, EachWayOfNotReachingAPortHasItsOwnFix) {
  one_.status.reset();
  std::vector<std::string> fixes;
  for (const auto outcome : {TcpProbe::Outcome::kUnresolved, TcpProbe::Outcome::kRefused,
                             TcpProbe::Outcome::kSilent, TcpProbe::Outcome::kUnreachable}) {
    one_.tcp.outcome = outcome;
    const std::vector<Finding> findings = Examine(one_);
    ASSERT_TRUE(AnyProblem(findings));
    EXPECT_EQ(findings.back().kind, Kind::kProblem);
    fixes.push_back(findings.back().fix);
  }
  std::sort(fixes.begin(), fixes.end());
  EXPECT_EQ(std::unique(fixes.begin(), fixes.end()), fixes.end());
}

TEST_F(DoctorTest, ASilentListenerIsNotCalledADaemon) {
  one_.status.reset();
  one_.no_status = absl::DeadlineExceededError("10.0.0.7:7700 did not answer within 5s");
  const auto finding = Find(Examine(one_), "listener");
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->kind, Kind::kProblem);
  EXPECT_TRUE(absl::StrContains(finding->text, "did not answer within 5s"));
}

TEST_F(DoctorTest, AnAdvertisedAddressThatOthersCannotDialIsAProblem) {
  for (const char* address : {"127.0.0.1:7700", "0.0.0.0:7700", "localhost:7700", "[::1]:7700"}) {
    one_.status->set_address(address);
    const auto finding = Find(Examine(one_), "advertised address");
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->kind, Kind::kProblem) << address;
    EXPECT_TRUE(absl::StrContains(finding->fix, "--advertise=10.0.0.7:7700"));
  }
  // On one machine it is as it should be.
  DoctorFacts local = Reached("127.0.0.1:7700", "0000000000000003");
  EXPECT_FALSE(AnyProblem(Examine(local)));
}

TEST_F(DoctorTest, DifferentRunsAreToldByWhatDiffers) {
  other_.status->set_run_id("00000000000000cc");
  other_.status->mutable_config()->mutable_model()->set_name("cnn");
  const auto finding = Find(Compare(one_, other_), "run");
  EXPECT_EQ(finding->kind, Kind::kProblem);
  EXPECT_TRUE(absl::StrContains(finding->text, "model.name"));
  EXPECT_TRUE(absl::StrContains(finding->text, "cnn"));
}

TEST_F(DoctorTest, ADataDirectoryIsNoDifference) {
  other_.status->set_run_id("00000000000000cc");
  other_.status->mutable_config()->mutable_data()->set_directory("/elsewhere");
  EXPECT_FALSE(absl::StrContains(Find(Compare(one_, other_), "run")->text, "directory"));
}

TEST_F(DoctorTest, DifferentNetworksAreAProblem) {
  other_.status->set_model_fingerprint("00000000000000dd");
  EXPECT_EQ(Find(Compare(one_, other_), "model")->kind, Kind::kProblem);
}

TEST_F(DoctorTest, TwoDaemonsWithOneIdentityAreFound) {
  other_.status->set_peer_id(one_.status->peer_id());
  other_.status->set_incarnation(2);
  const auto finding = Find(Compare(one_, other_), "identity");
  EXPECT_EQ(finding->kind, Kind::kProblem);
  EXPECT_TRUE(absl::StrContains(finding->fix, "--state_dir"));
  other_.status->set_incarnation(1);
  EXPECT_EQ(Find(Compare(one_, other_), "identity")->kind, Kind::kNote);
}

TEST_F(DoctorTest, ClocksAreComparedAndDoNoHarm) {
  other_.status->set_unix_ms(one_.status->unix_ms() + 3'600'000);
  const auto finding = Find(Compare(one_, other_), "clock");
  EXPECT_EQ(finding->kind, Kind::kNote);
  EXPECT_TRUE(absl::StrContains(finding->text, "1h"));
  other_.seen += absl::Hours(1);
  EXPECT_EQ(Find(Compare(one_, other_), "clock")->kind, Kind::kGood);
}

TEST_F(DoctorTest, WhoWasDroppedLearnsWhyAndWhereToLook) {
  Sees(one_, other_, v1::PEER_STATE_DEAD, "silent for 6.0 s");
  Sees(other_, one_, v1::PEER_STATE_ALIVE);
  const std::vector<Finding> findings = Compare(one_, other_);
  const auto finding = Find(findings, "view of 10.0.0.7:7700");
  EXPECT_EQ(finding->kind, Kind::kProblem);
  EXPECT_TRUE(absl::StrContains(finding->text, "DEAD: silent for 6.0 s"));
  EXPECT_TRUE(absl::StrContains(finding->fix, "starling doctor 10.0.0.8:7700"));
  EXPECT_EQ(Find(findings, "view of 10.0.0.8:7700")->kind, Kind::kGood);
}

TEST_F(DoctorTest, WhoWasNeverHeardOfNeedsAnAddress) {
  const auto finding = Find(Compare(one_, other_), "view of 10.0.0.7:7700");
  EXPECT_EQ(finding->kind, Kind::kProblem);
  EXPECT_TRUE(absl::StrContains(finding->fix, "--peers=10.0.0.8:7700"));
}

TEST_F(DoctorTest, ARowOfAnEarlierStartIsToldApart) {
  Sees(one_, other_, v1::PEER_STATE_DEAD, "silent");
  other_.status->set_incarnation(2);
  EXPECT_TRUE(absl::StrContains(Find(Compare(one_, other_), "view of 10.0.0.7:7700")->text,
                                "earlier start"));
}

TEST_F(DoctorTest, NothingThatADaemonSaysReachesTheTerminalAsACommand) {
  one_.status->set_last_error("\x1b[2Jgone");
  const std::string text = RenderFindings(Examine(one_), false);
  EXPECT_FALSE(absl::StrContains(text, "\x1b"));
  EXPECT_TRUE(absl::StrContains(text, "gone"));
}

}  // namespace
}  // namespace starling
