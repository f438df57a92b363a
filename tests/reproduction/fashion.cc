#include "tests/reproduction/fashion.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "peer/runtime/check.h"
#include "proto/run.pb.h"

namespace starling {
namespace {

class Beginning final : public Dataset {
 public:
  Beginning(std::shared_ptr<const Dataset> whole, size_t size)
      : whole_(std::move(whole)), size_(std::min(size, whole_->size())) {}

  std::string name() const override { return whole_->name(); }
  size_t size() const override { return size_; }
  size_t features() const override { return whole_->features(); }
  std::vector<int64_t> shape() const override { return whole_->shape(); }
  int classes() const override { return whole_->classes(); }
  int64_t label(size_t index) const override { return whole_->label(index); }
  void Gather(absl::Span<const uint32_t> indices, Batch* batch) const override {
    whole_->Gather(indices, batch);
  }

 private:
  const std::shared_ptr<const Dataset> whole_;
  const size_t size_;
};

}  // namespace

std::shared_ptr<const Dataset> FirstOf(std::shared_ptr<const Dataset> whole, size_t examples) {
  return std::make_shared<Beginning>(std::move(whole), examples);
}

absl::StatusOr<TrainAndTest> LoadReproductionData(bool synthetic) {
  v1::DataConfig config;
  config.set_name(synthetic ? "synthetic" : "fashion_mnist");
  return LoadData(config, 1);
}

std::unique_ptr<Model> MakeReproductionModel(const Dataset& data, uint64_t seed) {
  v1::ModelConfig config;
  config.set_name(kReproductionModel);
  auto model = MakeModel(config, data, seed, 0, 1);
  STARLING_CHECK(model.ok());
  return *std::move(model);
}

}  // namespace starling
