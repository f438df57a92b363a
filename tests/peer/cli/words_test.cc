#include "peer/cli/words.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

TEST(WordsTest, StatesReadAsWords) {
  EXPECT_EQ(PhaseWord(v1::PHASE_TRAINING), "training");
  EXPECT_EQ(StateWord(v1::PEER_STATE_DEAD), "DEAD");
  EXPECT_EQ(RoleWord(v1::ROLE_COORDINATOR), "coordinator");
  EXPECT_EQ(RefusalWord(v1::REFUSAL_REASON_NON_FINITE), "non finite");
}

TEST(WordsTest, NumbersOfANewerVersionAreShownAsNumbers) {
  EXPECT_EQ(PhaseWord(static_cast<v1::Phase>(99)), "unknown (99)");
}

TEST(WordsTest, BytesChangeUnitAtPowersOfAThousand) {
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1000), "1.0 kB");
  EXPECT_EQ(BytesText(999'960), "1.0 MB");
  EXPECT_EQ(BytesText(34'500'000), "34.5 MB");
}

TEST(WordsTest, DurationsAreAsExactAsTheyNeedToBe) {
  EXPECT_EQ(DurationText(absl::Milliseconds(12345)), "12.3 s");
  EXPECT_EQ(DurationText(absl::Seconds(245)), "4 min 05 s");
  EXPECT_EQ(DurationText(absl::Minutes(192)), "3 h 12 min");
}

TEST(WordsTest, SharesArePercent) {
  EXPECT_EQ(ShareText(0.125), "12.5 %");
  EXPECT_EQ(ShareText(0), "0.0 %");
}

TEST(WordsTest, NumbersKeepAboutFourDigits) {
  EXPECT_EQ(NumberText(0), "0");
  EXPECT_EQ(NumberText(0.43119), "0.4312");
  EXPECT_EQ(NumberText(12.345), "12.35");
  EXPECT_EQ(NumberText(1520.4), "1520");
  EXPECT_EQ(NumberText(0.0000123), "1.2e-05");
  EXPECT_EQ(NumberText(-2.5), "-2.5000");
}

TEST(WordsTest, AlgorithmsAreWrittenAsTheFlagTakesThem) {
  v1::AlgorithmConfig algorithm;
  algorithm.set_name("elastic_gossip");
  EXPECT_EQ(AlgorithmText(algorithm), "elastic_gossip");
  auto* option = algorithm.add_options();
  option->set_name("alpha");
  option->set_value(0.5);
  option = algorithm.add_options();
  option->set_name("p");
  option->set_value(0.125);
  EXPECT_EQ(AlgorithmText(algorithm), "elastic_gossip:alpha=0.5,p=0.125");
}

}  // namespace
}  // namespace starling
