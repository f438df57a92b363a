// The checkpoints of one peer in a directory of its own:
//
//   step-00000000001200.safetensors    the parameters, tensor by tensor
//   step-00000000001200.json           the manifest, written last: what the first must be
//
// Each file is written beside its place, synced and renamed, and the manifest follows the parameters; so
// whatever interrupts a save, a checkpoint is there whole or not at all. The newest `keep` stay. Loading
// verifies size and hash and falls back to the one before.
//
// Blocks on the disk: for an executor of its own. Thread-compatible.

#ifndef STARLING_PEER_CHECKPOINT_CHECKPOINT_STORE_H_
#define STARLING_PEER_CHECKPOINT_CHECKPOINT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/checkpoint/safetensors.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/shared_bytes.h"

namespace starling {

struct Checkpoint {
  SharedBytes values;  // float32, all parameters in the model's order
  uint64_t step = 0;
  uint64_t samples = 0;
  absl::Time saved;  // wall clock, for people and for comparing ages
};

class CheckpointStore {
 public:
  struct Options {
    std::string directory;
    RunId run;
    ModelFingerprint model;
    std::vector<TensorLayout> layout;  // of the parameters, covering them all
    // Up: more to fall back to, more disk. At least 1.
    size_t keep = 2;
  };

  // Loaded, and for each newer one that could not be, why.
  struct Loaded {
    Checkpoint checkpoint;
    std::vector<std::string> skipped;
  };

  explicit CheckpointStore(Options options);

  // Makes the directory if need be. `values` has the layout's length (aborts).
  // UNKNOWN: it cannot be written (path and the system's reason); what was there is untouched.
  absl::Status Save(const Checkpoint& checkpoint);

  // The newest intact checkpoint of this run and model, its values from `buffers`.
  // NOT_FOUND: there is none; says why each that is there does not count.
  absl::StatusOr<Loaded> LoadNewest(BufferPool* buffers) const;

 private:
  std::string PathOf(uint64_t step, absl::string_view suffix) const;
  // Steps that have a manifest, the newest first.
  std::vector<uint64_t> Steps() const;
  absl::StatusOr<Checkpoint> Load(uint64_t step, BufferPool* buffers) const;
  void Prune(uint64_t newest) const;

  const Options options_;
  size_t elements_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_CHECKPOINT_CHECKPOINT_STORE_H_
