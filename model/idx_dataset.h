// Fashion-MNIST, MNIST and whatever else comes as their four IDX files: 28 x 28 grey images in ten
// classes, kept as bytes (47 MB for 60,000 of them) and normalised when they are gathered.

#ifndef STARLING_MODEL_IDX_DATASET_H_
#define STARLING_MODEL_IDX_DATASET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/dataset.h"

namespace starling {

// Where Debian's package dataset-fashion-mnist puts its files.
inline constexpr char kFashionMnistDirectory[] = "/usr/share/datasets/fashion-mnist";

// Of pixels scaled to 0..1; a gathered feature is (pixel / 255 - mean) / deviation.
struct PixelScale {
  double mean = 0;
  double deviation = 1;
};

// The customary figures of Fashion-MNIST's training images.
inline constexpr PixelScale kFashionMnistScale = {0.2860, 0.3530};

enum class IdxSplit { kTrain, kTest };

class IdxDataset final : public Dataset {
 public:
  static constexpr uint32_t kSide = 28;
  static constexpr int kClasses = 10;

  // Reads {train,t10k}-{images-idx3,labels-idx1}-ubyte from `directory`; each may be plain or have
  // ".gz" added (the plain one wins). Images are not scaled until SetScale.
  // NOT_FOUND: the directory or a file is absent; says which and which package brings
  // Fashion-MNIST.
  // PERMISSION_DENIED: a file may not be read.
  // DATA_LOSS: a file is truncated, has trailing bytes, is damaged, is no IDX file, holds no or
  // other than 28 x 28 images, a label above 9, or another number of labels than images; names the
  // file, the offset, what was expected and what was found.
  static absl::StatusOr<IdxDataset> Load(std::string name, const std::string& directory,
                                         IdxSplit split);

  // Measured over all pixels. A set without any contrast gets deviation 1.
  PixelScale MeasureScale() const;
  // Part of construction: before the data set is shared.
  void SetScale(PixelScale scale);

  std::string name() const override { return name_; }
  size_t size() const override { return labels_.size(); }
  size_t features() const override { return kSide * kSide; }
  std::vector<int64_t> shape() const override { return {1, kSide, kSide}; }
  int classes() const override { return kClasses; }
  int64_t label(size_t index) const override { return labels_[index]; }
  void Gather(absl::Span<const uint32_t> indices, Batch* batch) const override;

 private:
  IdxDataset(std::string name, std::vector<uint8_t> pixels, std::vector<uint8_t> labels);

  std::string name_;
  std::vector<uint8_t> pixels_;
  std::vector<uint8_t> labels_;
  std::array<float, 256> feature_of_pixel_;
};

}  // namespace starling

#endif  // STARLING_MODEL_IDX_DATASET_H_
