#include "peer/runtime/incarnation_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"

namespace starling {
namespace {

class IncarnationFileTest : public testing::Test {
 protected:
  IncarnationFileTest() {
    std::string path = testing::TempDir() + "/incarnationXXXXXX";
    directory_ = mkdtemp(path.data());
  }
  ~IncarnationFileTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text) { std::ofstream(directory_ + "/incarnation") << text; }

  std::string directory_;
  const absl::Time noon_ = absl::FromUnixMillis(1'700'000'000'000);
};

TEST_F(IncarnationFileTest, EachLifeIsNewerThanTheLast) {
  EXPECT_EQ(*NextIncarnation(directory_, noon_), 1'700'000'000'000u);
  EXPECT_EQ(*NextIncarnation(directory_, noon_), 1'700'000'000'001u) << "within a millisecond";
  EXPECT_EQ(*NextIncarnation(directory_, noon_ + absl::Seconds(1)), 1'700'000'001'000u);
}

TEST_F(IncarnationFileTest, AClockThatIsTurnedBackDoesNotMakeItOlder) {
  ASSERT_TRUE(NextIncarnation(directory_, noon_).ok());
  EXPECT_EQ(*NextIncarnation(directory_, noon_ - absl::Hours(24)), 1'700'000'000'001u);
  EXPECT_EQ(*NextIncarnation(directory_, absl::UnixEpoch() - absl::Hours(1)), 1'700'000'000'002u);
}

TEST_F(IncarnationFileTest, WithoutADirectoryThereIsOnlyTheClock) {
  EXPECT_EQ(*NextIncarnation("", noon_), 1'700'000'000'000u);
  EXPECT_EQ(*NextIncarnation("", noon_), 1'700'000'000'000u);
}

TEST_F(IncarnationFileTest, NonsenseInTheFileIsRefusedWithARemedy) {
  for (const std::string text : {"soon", "", "18446744073709551615", "-3"}) {
    Write(text);
    const auto next = NextIncarnation(directory_, noon_);
    ASSERT_TRUE(absl::IsFailedPrecondition(next.status())) << text;
    EXPECT_TRUE(absl::StrContains(next.status().message(), "delete it")) << next.status();
  }
}

TEST_F(IncarnationFileTest, AnUnwritableDirectoryIsReported) {
  EXPECT_TRUE(absl::IsFailedPrecondition(
      NextIncarnation(directory_ + "/absent", noon_).status()));
}

}  // namespace
}  // namespace starling
