#include "peer/cli/chaos_event.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

std::vector<ChaosEvent> All() { return AllChaosEvents(absl::Seconds(20), 1); }

TEST(ChaosEventTest, EveryFaultOfTheScoreboardIsThere) {
  std::string names;
  for (const ChaosEvent& event : All()) names += event.name + " ";
  EXPECT_EQ(names, "kill freeze2 freeze15 partition slowlink loss coordinator join ");
}

TEST(ChaosEventTest, PickingKeepsTheOrderOfTheScoreboard) {
  const auto picked = PickChaosEvents(All(), "join, kill,join");
  ASSERT_TRUE(picked.ok());
  ASSERT_EQ(picked->size(), 2);
  EXPECT_EQ((*picked)[0].name, "kill");
  EXPECT_EQ((*picked)[1].name, "join");
  EXPECT_EQ(PickChaosEvents(All(), "all")->size(), All().size());
}

TEST(ChaosEventTest, UnknownAndMissingNamesAreRefusedWithARemedy) {
  const absl::Status slip = PickChaosEvents(All(), "kill,freeze").status();
  EXPECT_TRUE(absl::IsInvalidArgument(slip));
  EXPECT_NE(slip.message().find("freeze2"), absl::string_view::npos) << slip;
  EXPECT_TRUE(absl::IsInvalidArgument(PickChaosEvents(All(), " , ").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ChaosPatience("slow").status()));
}

TEST(ChaosEventTest, PatienceStretchesTheWatchingAndNotTheFault) {
  const std::vector<ChaosEvent> patient = AllChaosEvents(absl::Seconds(60), 2);
  for (size_t i = 0; i < patient.size(); ++i) {
    EXPECT_EQ(patient[i].settle, 2 * All()[i].settle);
    if (patient[i].fault == ChaosFault::kPartition) {
      EXPECT_EQ(patient[i].lasts, absl::Seconds(60));
      EXPECT_EQ(patient[i].title, "partition 60 s");
    } else {
      EXPECT_EQ(patient[i].lasts, All()[i].lasts);
    }
  }
}

TEST(ChaosEventTest, OnlyFaultsOfTheNetworkNeedOne) {
  for (const ChaosEvent& event : All()) {
    const bool network =
        event.name == "partition" || event.name == "slowlink" || event.name == "loss";
    EXPECT_EQ(event.NeedsNetwork(), network) << event.name;
  }
}

}  // namespace
}  // namespace starling
