#include "model/idx_dataset.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/idx_file.h"

namespace starling {
namespace {

bool Exists(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::string> Find(const std::string& directory, absl::string_view file) {
  constexpr absl::string_view kRemedy =
      "; install the Debian package dataset-fashion-mnist, or name a directory of IDX files";
  if (!Exists(directory)) {
    return absl::NotFoundError(absl::StrCat(directory, ": no such directory", kRemedy));
  }
  const std::string plain = absl::StrCat(directory, "/", file);
  if (Exists(plain)) return plain;
  const std::string compressed = absl::StrCat(plain, ".gz");
  if (Exists(compressed)) return compressed;
  return absl::NotFoundError(absl::StrCat(plain, "[.gz]: no such file", kRemedy));
}

absl::Status Corrupt(const std::string& path, size_t offset, absl::string_view expected,
                     absl::string_view found) {
  return absl::DataLossError(
      absl::StrCat(path, ": at offset ", offset, ": expected ", expected, ", found ", found));
}

}  // namespace

absl::StatusOr<IdxDataset> IdxDataset::Load(std::string name, const std::string& directory,
                                            IdxSplit split) {
  const absl::string_view prefix = split == IdxSplit::kTrain ? "train" : "t10k";
  absl::StatusOr<std::string> images_path =
      Find(directory, absl::StrCat(prefix, "-images-idx3-ubyte"));
  if (!images_path.ok()) return images_path.status();
  absl::StatusOr<std::string> labels_path =
      Find(directory, absl::StrCat(prefix, "-labels-idx1-ubyte"));
  if (!labels_path.ok()) return labels_path.status();

  absl::StatusOr<IdxFile> images = ReadIdxFile(*images_path, 3);
  if (!images.ok()) return images.status();
  const uint32_t count = images->sizes[0];
  if (count == 0) return Corrupt(*images_path, 4, "at least 1 image", "0");
  if (images->sizes[1] != kSide || images->sizes[2] != kSide) {
    return Corrupt(*images_path, 8, "images of 28 x 28",
                   absl::StrCat(images->sizes[1], " x ", images->sizes[2]));
  }

  absl::StatusOr<IdxFile> labels = ReadIdxFile(*labels_path, 1);
  if (!labels.ok()) return labels.status();
  if (labels->sizes[0] != count) {
    return Corrupt(*labels_path, 4,
                   absl::StrCat(count, " labels, one for each image of ", *images_path),
                   absl::StrCat(labels->sizes[0]));
  }
  const auto bad = std::find_if(labels->bytes.begin(), labels->bytes.end(),
                                [](uint8_t label) { return label >= kClasses; });
  if (bad != labels->bytes.end()) {
    return Corrupt(*labels_path,
                   labels->header_bytes() + static_cast<size_t>(bad - labels->bytes.begin()),
                   "a label from 0 to 9", absl::StrCat(*bad));
  }
  return IdxDataset(std::move(name), std::move(images->bytes), std::move(labels->bytes));
}

IdxDataset::IdxDataset(std::string name, std::vector<uint8_t> pixels, std::vector<uint8_t> labels)
    : name_(std::move(name)), pixels_(std::move(pixels)), labels_(std::move(labels)) {
  SetScale(PixelScale());
}

PixelScale IdxDataset::MeasureScale() const {
  std::array<uint64_t, 256> histogram = {};
  for (uint8_t pixel : pixels_) ++histogram[pixel];
  double sum = 0;
  double squares = 0;
  for (size_t pixel = 0; pixel < histogram.size(); ++pixel) {
    const double value = static_cast<double>(pixel) / 255;
    const double times = static_cast<double>(histogram[pixel]);
    sum += times * value;
    squares += times * value * value;
  }
  const double count = static_cast<double>(pixels_.size());
  PixelScale scale;
  scale.mean = sum / count;
  const double variance = squares / count - scale.mean * scale.mean;
  scale.deviation = variance > 1e-12 ? std::sqrt(variance) : 1;
  return scale;
}

void IdxDataset::SetScale(PixelScale scale) {
  for (size_t pixel = 0; pixel < feature_of_pixel_.size(); ++pixel) {
    feature_of_pixel_[pixel] =
        static_cast<float>((static_cast<double>(pixel) / 255 - scale.mean) / scale.deviation);
  }
}

void IdxDataset::Gather(absl::Span<const uint32_t> indices, Batch* batch) const {
  batch->examples = indices.size();
  batch->features.resize(indices.size() * features());
  batch->labels.resize(indices.size());
  float* feature = batch->features.data();
  for (size_t i = 0; i < indices.size(); ++i) {
    batch->labels[i] = labels_[indices[i]];
    const uint8_t* pixel = pixels_.data() + indices[i] * features();
    for (size_t j = 0; j < features(); ++j) *feature++ = feature_of_pixel_[pixel[j]];
  }
}

}  // namespace starling
