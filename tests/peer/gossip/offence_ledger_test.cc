#include "peer/gossip/offence_ledger.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr PeerId kBad(7);

class OffenceLedgerTest : public ::testing::Test {
 protected:
  absl::optional<Quarantine> Offend(absl::Duration at, uint64_t deed, Incarnation incarnation = 1,
                                    PeerId peer = kBad) {
    return ledger_.Note(start_ + at, peer, incarnation, deed, "NaN");
  }
  // Three at once, of new deeds.
  absl::optional<Quarantine> Burst(absl::Duration at, Incarnation incarnation = 1) {
    Offend(at, ++deed_, incarnation);
    Offend(at, ++deed_, incarnation);
    return Offend(at, ++deed_, incarnation);
  }
  bool Quarantined(absl::Duration at, Incarnation incarnation = 1) {
    return ledger_.IsQuarantined(start_ + at, kBad, incarnation);
  }

  const absl::Time start_ = absl::UnixEpoch();
  uint64_t deed_ = 1000;
  OffenceLedger ledger_{OffenceOptions()};
};

TEST_F(OffenceLedgerTest, TheThirdOffenceWithinTheWindowQuarantines) {
  EXPECT_FALSE(Offend(absl::Minutes(0), 1));
  EXPECT_FALSE(Offend(absl::Minutes(4), 2));
  EXPECT_FALSE(Quarantined(absl::Minutes(4)));
  const auto quarantine = Offend(absl::Minutes(9), 3);
  ASSERT_TRUE(quarantine);
  EXPECT_EQ(quarantine->length, absl::Minutes(2));
  EXPECT_TRUE(absl::StrContains(quarantine->reason, "3 bad contributions within 540 s, the last: NaN"))
      << quarantine->reason;
  EXPECT_TRUE(Quarantined(absl::Minutes(10)));
  EXPECT_FALSE(Quarantined(absl::Minutes(11)));
  EXPECT_EQ(ledger_.offences(), 3u);
  EXPECT_EQ(ledger_.quarantines(), 1u);
}

TEST_F(OffenceLedgerTest, OffencesOutsideTheWindowDoNotAddUp) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(Offend(absl::Minutes(6 * i), static_cast<uint64_t>(i + 1)));
  }
  EXPECT_EQ(ledger_.OffencesOf(start_ + absl::Minutes(6 * 19), kBad), 2u);
}

TEST_F(OffenceLedgerTest, TheShardsAndRepetitionsOfOneDeedAreOneOffence) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Offend(absl::Seconds(i), 5));
    EXPECT_FALSE(Offend(absl::Seconds(i), 6));
  }
  EXPECT_EQ(ledger_.offences(), 2u);
}

TEST_F(OffenceLedgerTest, EachQuarantineIsTwiceAsLongUpToABound) {
  absl::Duration at;
  for (const int minutes : {2, 4, 8, 16, 32, 64, 120, 120}) {
    const auto quarantine = Burst(at);
    ASSERT_TRUE(quarantine);
    EXPECT_EQ(quarantine->length, absl::Minutes(minutes));
    at += quarantine->length;
  }
}

TEST_F(OffenceLedgerTest, WhoHasBehavedForLongBeginsAnew) {
  Burst(absl::ZeroDuration());
  EXPECT_EQ(Burst(absl::Minutes(2))->length, absl::Minutes(4));
  EXPECT_EQ(Burst(absl::Minutes(6) + absl::Hours(2))->length, absl::Minutes(2));
}

TEST_F(OffenceLedgerTest, WhatComesDuringAQuarantineDoesNotCount) {
  Burst(absl::ZeroDuration());
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(Offend(absl::Seconds(i), ++deed_));
  EXPECT_EQ(ledger_.offences(), 3u);
  EXPECT_FALSE(Offend(absl::Minutes(2), ++deed_));
  EXPECT_FALSE(Quarantined(absl::Minutes(2)));
}

TEST_F(OffenceLedgerTest, ANewIncarnationIsFreeButNotForgotten) {
  Burst(absl::ZeroDuration());
  EXPECT_TRUE(Quarantined(absl::Seconds(1), 1));
  EXPECT_FALSE(Quarantined(absl::Seconds(1), 2));
  EXPECT_EQ(Burst(absl::Seconds(2), 2)->length, absl::Minutes(4));
  EXPECT_FALSE(Burst(absl::Hours(1), 1)) << "an echo of the old process";
}

TEST_F(OffenceLedgerTest, TheOldestRecordMakesRoom) {
  OffenceOptions options;
  options.members = 4;
  OffenceLedger ledger(options);
  for (uint64_t peer = 1; peer <= 100; ++peer) {
    ledger.Note(start_ + absl::Seconds(peer), PeerId(peer), 1, 1, "NaN");
    EXPECT_LE(ledger.records(), 4u);
  }
  EXPECT_EQ(ledger.OffencesOf(start_ + absl::Seconds(100), PeerId(97)), 1u);
  EXPECT_EQ(ledger.OffencesOf(start_ + absl::Seconds(100), PeerId(96)), 0u);
}

TEST(OffenceOptionsTest, NonsenseIsRefusedByName) {
  EXPECT_TRUE(OffenceOptions().Validate().ok());
  EXPECT_TRUE(absl::StrContains(OffenceOptions{.offences = 0}.Validate().message(), "offences"));
  EXPECT_TRUE(absl::StrContains(OffenceOptions{.most = absl::Seconds(1)}.Validate().message(), "most"));
  EXPECT_TRUE(absl::StrContains(OffenceOptions{.members = 0}.Validate().message(), "members"));
}

}  // namespace
}  // namespace starling
