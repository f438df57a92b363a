#include "coordinator/epoch_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace starling {
namespace {

class EpochStoreTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  uint64_t Start(absl::Time clock) {
    absl::StatusOr<EpochStore> store = EpochStore::Open(directory_);
    if (!store.ok()) return 0;
    return store->NextStartNumber(clock).value_or(0);
  }

  const std::string directory_ =
      testing::TempDir() + "/" +
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(EpochStoreTest, StartNumbersGrowEvenIfTheClockGoesBack) {
  const uint64_t first = Start(absl::FromUnixSeconds(1000));
  EXPECT_EQ(first, 1000);
  EXPECT_EQ(Start(absl::FromUnixSeconds(10)), 1001);
  EXPECT_EQ(Start(absl::FromUnixSeconds(1001)), 1002);
  EXPECT_EQ(Start(absl::FromUnixSeconds(5000)), 5000);
}

TEST_F(EpochStoreTest, ALostDirectoryDoesNotTakeTheNumbersBack) {
  const uint64_t before = Start(absl::FromUnixSeconds(1000));
  std::filesystem::remove_all(directory_);
  EXPECT_GT(Start(absl::FromUnixSeconds(1001)), before);
  EXPECT_GT(StartNumberFromClock(absl::FromUnixSeconds(1002)), before);
}

TEST_F(EpochStoreTest, SecondCoordinatorIsKeptOut) {
  const absl::StatusOr<EpochStore> first = EpochStore::Open(directory_);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = EpochStore::Open(directory_).status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_NE(second.message().find(directory_), absl::string_view::npos);
}

TEST_F(EpochStoreTest, GarbageIsReportedAndLeftAlone) {
  for (const std::string garbage : {"", "twelve", "-1", "99999999999", "4294967295"}) {
    std::filesystem::create_directory(directory_);
    std::ofstream(directory_ + "/start_number") << garbage;
    absl::StatusOr<EpochStore> store = EpochStore::Open(directory_);
    ASSERT_TRUE(store.ok());
    EXPECT_TRUE(absl::IsDataLoss(store->NextStartNumber(absl::FromUnixSeconds(5)).status()))
        << garbage;
    std::string content;
    std::getline(std::ifstream(directory_ + "/start_number"), content);
    EXPECT_EQ(content, garbage);
  }
}

TEST_F(EpochStoreTest, DirectoryThatCannotBeMadeIsNamed) {
  const absl::Status status = EpochStore::Open("/proc/no/such").status();
  EXPECT_TRUE(absl::IsUnknown(status));
  EXPECT_NE(status.message().find("/proc/no/such"), absl::string_view::npos) << status;
}

TEST_F(EpochStoreTest, NoTemporaryFileIsLeftBehind) {
  ASSERT_NE(Start(absl::FromUnixSeconds(1)), 0);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/start_number.tmp"));
}

}  // namespace
}  // namespace starling
