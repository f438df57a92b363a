// The visible tables of models and data sets: what a name in the run configuration stands for.
// The rows live in registry.cc. This target links LibTorch; the names alone, for programs that only
// check or list them, are in model/catalog.h.

#ifndef STARLING_MODEL_REGISTRY_H_
#define STARLING_MODEL_REGISTRY_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "model/dataset.h"
#include "model/model.h"
#include "proto/run.pb.h"

namespace starling {

struct TrainAndTest {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
};

// The seed makes up "synthetic" data; the others do not depend on it.
// NOT_FOUND: no such directory or file (named). PERMISSION_DENIED: a file may not be read.
// DATA_LOSS: a file is truncated or corrupt (named, with offset, what was expected and what was
// found).
// INVALID_ARGUMENT: unknown name, "idx" without a directory, too many synthetic examples.
absl::StatusOr<TrainAndTest> LoadData(const v1::DataConfig& config, uint64_t seed);

// A model whose initial parameters depend on (name, seed) only. `threads` >= 1 intra-op threads.
// `stream` separates the dropout noise of workers that share a seed.
// INVALID_ARGUMENT: unknown name, threads < 1, or the data do not fit the model. INTERNAL: LibTorch
// failed.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::ModelConfig& config, const Dataset& data,
                                                 uint64_t seed, uint64_t stream, int threads);

}  // namespace starling

#endif  // STARLING_MODEL_REGISTRY_H_
