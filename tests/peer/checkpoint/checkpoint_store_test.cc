#include "peer/checkpoint/checkpoint_store.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/common/from_outside.h"

namespace starling {
namespace {

const RunId kRun(0xabc);
const ModelFingerprint kModel(0xdef);

class CheckpointStoreTest : public ::testing::Test {
 protected:
  CheckpointStoreTest() {
    directory_ = absl::StrCat(::testing::TempDir(), "/checkpoints-",
                              ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
  }

  CheckpointStore Store(RunId run = kRun, ModelFingerprint model = kModel) const {
    return CheckpointStore({.directory = directory_,
                            .run = run,
                            .model = model,
                            .layout = {{"weight", {2, 3}}, {"bias", {2}}}});
  }
  Checkpoint At(uint64_t step) {
    MutableBuffer values = buffers_.Take(8);
    for (size_t i = 0; i < 8; ++i) {
      values.floats()[i] = static_cast<float>(step) + static_cast<float>(i) / 8;
    }
    Checkpoint checkpoint;
    checkpoint.values = std::move(values).Freeze();
    checkpoint.step = step;
    checkpoint.samples = 32 * step;
    checkpoint.saved = absl::FromUnixSeconds(1'700'000'000 + static_cast<int64_t>(step));
    return checkpoint;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string FileOf(uint64_t step, const std::string& suffix) const {
    for (const std::string& name : Files()) {
      if (absl::StrContains(name, absl::StrCat(step, suffix))) return directory_ + "/" + name;
    }
    return "";
  }
  static void Overwrite(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }

  std::string directory_;
  mutable BufferPool buffers_{1 << 20};
};

TEST_F(CheckpointStoreTest, WhatWasSavedIsLoadedBitForBit) {
  ASSERT_TRUE(Store().Save(At(12)).ok());
  const auto loaded = Store().LoadNewest(&buffers_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->checkpoint.step, 12u);
  EXPECT_EQ(loaded->checkpoint.samples, 384u);
  EXPECT_EQ(loaded->checkpoint.saved, At(12).saved);
  EXPECT_EQ(loaded->checkpoint.values.floats(), At(12).values.floats());
  EXPECT_TRUE(loaded->skipped.empty());
}

TEST_F(CheckpointStoreTest, TheNewestTwoAreKept) {
  for (const uint64_t step : {5, 12, 20}) ASSERT_TRUE(Store().Save(At(step)).ok());
  EXPECT_EQ(Files().size(), 4u);
  EXPECT_EQ(FileOf(5, ".json"), "");
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 20u);
}

TEST_F(CheckpointStoreTest, AfterAStepBackWhatLiesAheadIsForgotten) {
  for (const uint64_t step : {10, 20, 15}) ASSERT_TRUE(Store().Save(At(step)).ok());
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 15u);
}

TEST_F(CheckpointStoreTest, TheSameStepCanBeSavedAgain) {
  ASSERT_TRUE(Store().Save(At(5)).ok());
  Checkpoint other = At(6);
  other.step = 5;
  ASSERT_TRUE(Store().Save(other).ok());
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.values.floats(), At(6).values.floats());
}

TEST_F(CheckpointStoreTest, EveryFlippedByteAndEveryTruncationFallsBackToTheOneBefore) {
  ASSERT_TRUE(Store().Save(At(1)).ok());
  ASSERT_TRUE(Store().Save(At(20)).ok());
  const std::string path = FileOf(20, ".safetensors");
  const std::string good = Content(path);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    Overwrite(path, bad);
    const auto loaded = Store().LoadNewest(&buffers_);
    ASSERT_TRUE(loaded.ok());
    ASSERT_EQ(loaded->checkpoint.step, 1u) << "byte " << i;
    ASSERT_EQ(loaded->skipped.size(), 1u);
    Overwrite(path, good.substr(0, i));
    ASSERT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 1u) << "first " << i;
  }
  Overwrite(path, good);
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 20u);
}

TEST_F(CheckpointStoreTest, ParametersWithoutAManifestDoNotCount) {
  ASSERT_TRUE(Store().Save(At(1)).ok());
  ASSERT_TRUE(Store().Save(At(20)).ok());
  std::filesystem::remove(FileOf(20, ".json"));
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 1u);
}

TEST_F(CheckpointStoreTest, AManifestThatIsNotOneIsSkipped) {
  ASSERT_TRUE(Store().Save(At(1)).ok());
  ASSERT_TRUE(Store().Save(At(20)).ok());
  for (const char* bad : {"", "{", "[]", "{}", "{\"step\": \"x\"}"}) {
    Overwrite(FileOf(20, ".json"), bad);
    EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 1u) << bad;
  }
  Overwrite(FileOf(20, ".json"), std::string(100'000, ' '));
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 1u);
}

TEST_F(CheckpointStoreTest, AnotherRunsCheckpointIsNotOurs) {
  ASSERT_TRUE(Store().Save(At(1)).ok());
  for (const auto& store : {Store(RunId(1)), Store(kRun, ModelFingerprint(1))}) {
    const auto loaded = store.LoadNewest(&buffers_);
    EXPECT_EQ(loaded.status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(absl::StrContains(loaded.status().message(), kRun.ToString()));
  }
}

TEST_F(CheckpointStoreTest, WithoutADirectoryThereIsNothing) {
  const auto loaded = Store().LoadNewest(&buffers_);
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(loaded.status().message(), directory_));
}

TEST_F(CheckpointStoreTest, WhatCannotBeWrittenNamesThePathAndLeavesTheOldOneWhole) {
  ASSERT_TRUE(Store().Save(At(1)).ok());
  // A directory where the new file should go fails the rename for root, too.
  std::filesystem::create_directories(directory_ + "/step-00000000000002.safetensors/x");
  const absl::Status status = Store().Save(At(2));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(absl::StrContains(status.message(), "step-00000000000002.safetensors"));
  EXPECT_EQ(Store().LoadNewest(&buffers_)->checkpoint.step, 1u);
}

}  // namespace
}  // namespace starling
