// Walks over one peer's part of the training set in random order, for ever: each pass is a fresh
// shuffle, and a pass that does not divide into whole batches goes on with the next one.

#ifndef STARLING_MODEL_BATCH_CURSOR_H_
#define STARLING_MODEL_BATCH_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/dataset.h"
#include "peer/runtime/random.h"

namespace starling {

// Thread-compatible; owned by the TrainingActor.
class BatchCursor {
 public:
  // `part` is not empty, batch_size > 0.
  BatchCursor(std::shared_ptr<const Dataset> data, std::vector<uint32_t> part, size_t batch_size,
              Random random);

  // The next batch; valid until the next call.
  const Batch& Next();

  // From the next batch on: another part, not empty, or another batch size, above 0.
  void SetPart(std::vector<uint32_t> part);
  void SetBatchSize(size_t batch_size);

  size_t part_size() const { return part_.size(); }
  size_t batch_size() const { return indices_.size(); }

 private:
  const std::shared_ptr<const Dataset> data_;
  std::vector<uint32_t> part_;
  std::vector<uint32_t> indices_;
  size_t position_ = 0;
  Random random_;
  Batch batch_;
};

}  // namespace starling

#endif  // STARLING_MODEL_BATCH_CURSOR_H_
