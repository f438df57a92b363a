#include "model/batch_cursor.h"

#include <utility>

#include "peer/runtime/check.h"

namespace starling {

BatchCursor::BatchCursor(std::shared_ptr<const Dataset> data, std::vector<uint32_t> part,
                         size_t batch_size, Random random)
    : data_(std::move(data)), part_(std::move(part)), indices_(batch_size), random_(random) {
  STARLING_CHECK(!part_.empty() && batch_size > 0);
  position_ = part_.size();
}

void BatchCursor::SetPart(std::vector<uint32_t> part) {
  STARLING_CHECK(!part.empty());
  part_ = std::move(part);
  position_ = part_.size();
}

void BatchCursor::SetBatchSize(size_t batch_size) {
  STARLING_CHECK(batch_size > 0);
  indices_.resize(batch_size);
}

const Batch& BatchCursor::Next() {
  for (uint32_t& index : indices_) {
    if (position_ == part_.size()) {
      random_.Shuffle(part_);
      position_ = 0;
    }
    index = part_[position_++];
  }
  data_->Gather(indices_, &batch_);
  return batch_;
}

}  // namespace starling
