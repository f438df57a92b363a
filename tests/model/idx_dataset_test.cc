#include "model/idx_dataset.h"

#include <unistd.h>

#include <cmath>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/idx_bytes.h"

namespace starling {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class IdxDatasetTest : public testing::Test {
 protected:
  void WriteTrain(const std::string& images, const std::string& labels,
                  const std::string& suffix = "") {
    WriteFile(absl::StrCat(directory_, "/train-images-idx3-ubyte", suffix), images);
    WriteFile(absl::StrCat(directory_, "/train-labels-idx1-ubyte", suffix), labels);
  }

  absl::StatusOr<IdxDataset> LoadTrain() {
    return IdxDataset::Load("idx", directory_, IdxSplit::kTrain);
  }

  void ExpectDataLoss(const std::string& file, const std::string& message) {
    const absl::Status status = LoadTrain().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(file), HasSubstr(message)));
  }

  const std::string directory_ = MakeTestDirectory();
};

TEST_F(IdxDatasetTest, RoundTripsPlainAndGzip) {
  const std::string images = IdxBytes({20, 28, 28});
  const std::string labels = IdxBytes({20}, 10);
  for (bool compressed : {true, false}) {  // the plain files are written second, and win
    if (compressed) {
      WriteTrain(Gzipped(images), Gzipped(labels), ".gz");
    } else {
      WriteTrain(images, labels);
    }
    absl::StatusOr<IdxDataset> data = LoadTrain();
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ(data->name(), "idx");
    EXPECT_EQ(data->size(), 20u);
    EXPECT_EQ(data->features(), 784u);
    EXPECT_EQ(data->classes(), 10);
    EXPECT_EQ(data->label(13), 3);

    Batch batch;
    data->Gather({13, 0}, &batch);
    EXPECT_EQ(batch.examples, 2u);
    EXPECT_THAT(batch.labels, testing::ElementsAre(3, 0));
    ASSERT_EQ(batch.features.size(), 2u * 784);
    EXPECT_FLOAT_EQ(batch.features[0], static_cast<float>(13 * 784 % 256) / 255);
    EXPECT_FLOAT_EQ(batch.features[784 + 255], 1);
  }
}

TEST_F(IdxDatasetTest, ScaleNormalisesWhatWasMeasured) {
  WriteTrain(IdxBytes({20, 28, 28}), IdxBytes({20}, 10));
  absl::StatusOr<IdxDataset> data = LoadTrain();
  ASSERT_TRUE(data.ok()) << data.status();
  data->SetScale(data->MeasureScale());

  Batch batch;
  double sum = 0;
  double squares = 0;
  for (uint32_t i = 0; i < 20; ++i) {
    data->Gather({i}, &batch);
    for (float value : batch.features) {
      sum += value;
      squares += static_cast<double>(value) * value;
    }
  }
  EXPECT_NEAR(sum / (20 * 784), 0, 1e-5);
  EXPECT_NEAR(std::sqrt(squares / (20 * 784)), 1, 1e-5);
}

TEST_F(IdxDatasetTest, BlackImagesHaveAScaleToo) {
  WriteTrain(IdxBytes({1, 28, 28}, 1), IdxBytes({1}));
  absl::StatusOr<IdxDataset> data = LoadTrain();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->MeasureScale().deviation, 1);
}

TEST_F(IdxDatasetTest, AbsentDirectoryOrFileNamesThePackage) {
  absl::Status status =
      IdxDataset::Load("idx", directory_ + "/none", IdxSplit::kTrain).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(directory_ + "/none"), HasSubstr("dataset-fashion-mnist")));

  WriteTrain(IdxBytes({1, 28, 28}), IdxBytes({1}));
  status = IdxDataset::Load("idx", directory_, IdxSplit::kTest).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("t10k-images-idx3-ubyte[.gz]"),
                                                   HasSubstr("dataset-fashion-mnist")));

  unlink((directory_ + "/train-labels-idx1-ubyte").c_str());
  status = LoadTrain().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("train-labels-idx1-ubyte"));
}

TEST_F(IdxDatasetTest, OtherImageSizesAreRefused) {
  WriteTrain(IdxBytes({2, 28, 27}), IdxBytes({2}));
  ExpectDataLoss("train-images", "at offset 8: expected images of 28 x 28, found 28 x 27");
  WriteTrain(IdxBytes({2, 32, 32}), IdxBytes({2}));
  ExpectDataLoss("train-images", "found 32 x 32");
}

TEST_F(IdxDatasetTest, NoImagesAreRefused) {
  WriteTrain(IdxBytes({0, 28, 28}), IdxBytes({0}));
  ExpectDataLoss("train-images", "at offset 4: expected at least 1 image, found 0");
}

TEST_F(IdxDatasetTest, AnotherNumberOfLabelsThanImagesIsRefused) {
  WriteTrain(IdxBytes({3, 28, 28}), IdxBytes({2}));
  ExpectDataLoss("train-labels", "at offset 4: expected 3 labels");
}

TEST_F(IdxDatasetTest, LabelOutOfRangeIsRefusedWithItsPlace) {
  WriteTrain(IdxBytes({11, 28, 28}), IdxBytes({11}));
  ExpectDataLoss("train-labels", "at offset 18: expected a label from 0 to 9, found 10");
}

TEST_F(IdxDatasetTest, SwappedFilesAreRefused) {
  WriteTrain(IdxBytes({2}), IdxBytes({2, 28, 28}));
  ExpectDataLoss("train-images", "expected IDX magic number 00000803, found 00000801");
}

}  // namespace
}  // namespace starling
