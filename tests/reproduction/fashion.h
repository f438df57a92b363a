// What the experiments train and on what: the beginning of Fashion-MNIST, and a small perceptron.

#ifndef STARLING_TESTS_REPRODUCTION_FASHION_H_
#define STARLING_TESTS_REPRODUCTION_FASHION_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "model/dataset.h"
#include "model/model.h"
#include "model/registry.h"

namespace starling {

inline constexpr char kReproductionModel[] = "mlp_small";

// The first `examples` of `whole`, or all of them if there are fewer.
std::shared_ptr<const Dataset> FirstOf(std::shared_ptr<const Dataset> whole, size_t examples);

// Fashion-MNIST, or made-up data if `synthetic`, which needs no files. Codes: LoadData's.
absl::StatusOr<TrainAndTest> LoadReproductionData(bool synthetic);

// A model on one thread. `data` fits, else this aborts.
std::unique_ptr<Model> MakeReproductionModel(const Dataset& data, uint64_t seed);

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_FASHION_H_
