#include "peer/runtime/run_flags.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"

ABSL_DECLARE_FLAG(std::string, config);
ABSL_DECLARE_FLAG(std::optional<std::string>, model);
ABSL_DECLARE_FLAG(std::optional<std::string>, data_dir);
ABSL_DECLARE_FLAG(std::optional<std::string>, algorithm);
ABSL_DECLARE_FLAG(std::optional<uint32_t>, batch_size);
ABSL_DECLARE_FLAG(std::optional<uint32_t>, min_peers);
ABSL_DECLARE_FLAG(std::optional<bool>, final_merge);

namespace starling {
namespace {

class RunFlagsTest : public testing::Test {
 protected:
  void UseFile(const std::string& text) {
    const std::string path = testing::TempDir() + "/flags.textproto";
    std::ofstream(path) << text;
    absl::SetFlag(&FLAGS_config, path);
  }

  absl::FlagSaver saver_;
};

TEST_F(RunFlagsTest, WithoutFlagsEverythingIsDefault) {
  EXPECT_FALSE(AnyRunFlagSet());
  const auto config = RunConfigFromFlags();
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->model().name(), "mlp");
  EXPECT_EQ(config->data().parts(), 1);
}

TEST_F(RunFlagsTest, FlagsOverrideTheFileAndDefaultsFillTheRest) {
  UseFile("model { name: 'cnn' } batch_size: 64 algorithm { name: 'none' }");
  absl::SetFlag(&FLAGS_batch_size, 128);
  absl::SetFlag(&FLAGS_min_peers, 4);
  absl::SetFlag(&FLAGS_algorithm, "elastic_gossip:p=1/8");
  EXPECT_TRUE(AnyRunFlagSet());
  const auto config = RunConfigFromFlags();
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->model().name(), "cnn");
  EXPECT_EQ(config->batch_size(), 128);
  EXPECT_EQ(config->data().parts(), 4);
  EXPECT_EQ(config->algorithm().name(), "elastic_gossip");
  EXPECT_EQ(config->algorithm().options(0).value(), 0.125);
  EXPECT_EQ(config->seed(), 1);
}

TEST_F(RunFlagsTest, TheFinalMergeIsSwitchedBothWays) {
  EXPECT_FALSE(RunConfigFromFlags()->final_merge());
  absl::SetFlag(&FLAGS_final_merge, true);
  EXPECT_TRUE(AnyRunFlagSet());
  EXPECT_TRUE(RunConfigFromFlags()->final_merge());
  UseFile("final_merge: true");
  absl::SetFlag(&FLAGS_final_merge, false);
  EXPECT_FALSE(RunConfigFromFlags()->final_merge());
}

TEST_F(RunFlagsTest, ExplicitZeroIsNotTakenForLeftOut) {
  absl::SetFlag(&FLAGS_batch_size, 0);
  const absl::Status status = RunConfigFromFlags().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(absl::StartsWith(status.message(), "batch_size is 0;")) << status;
}

TEST_F(RunFlagsTest, FaultsOfTheFileAndOfFlagsHaveDifferentCodes) {
  absl::SetFlag(&FLAGS_algorithm, ":");
  EXPECT_TRUE(absl::IsInvalidArgument(RunConfigFromFlags().status()));
  absl::SetFlag(&FLAGS_algorithm, std::nullopt);
  UseFile("batch_size: 100000");
  EXPECT_TRUE(absl::IsFailedPrecondition(RunConfigFromFlags().status()));
  UseFile("batch_size 3");
  EXPECT_TRUE(absl::IsFailedPrecondition(RunConfigFromFlags().status()));
  absl::SetFlag(&FLAGS_config, "/no/such/file");
  EXPECT_TRUE(absl::IsNotFound(RunConfigFromFlags().status()));
}

TEST_F(RunFlagsTest, TheDataDirectoryInsistsOnNothing) {
  absl::SetFlag(&FLAGS_data_dir, "/data");
  EXPECT_FALSE(AnyRunFlagSet());
  EXPECT_EQ(DataDirectoryFromFlags(), "/data");
}

TEST_F(RunFlagsTest, OnlyWhatWasNamedIsInsistedOn) {
  auto expected = RunExpectationsFromFlags();
  ASSERT_TRUE(expected.ok());
  EXPECT_EQ(expected->model, "");
  EXPECT_EQ(expected->algorithm, "");
  absl::SetFlag(&FLAGS_model, "cnn");
  absl::SetFlag(&FLAGS_algorithm, "elastic_gossip:p=1/8");
  expected = RunExpectationsFromFlags();
  ASSERT_TRUE(expected.ok());
  EXPECT_EQ(expected->model, "cnn");
  EXPECT_EQ(expected->algorithm, "elastic_gossip");
}

}  // namespace
}  // namespace starling
