#include "tests/sim/declared.h"

#include "peer/algorithms/registry.h"
#include "peer/runtime/check.h"

namespace starling {

Declared DeclaredBy(const v1::RunConfig& config) {
  const auto algorithm = MakeAlgorithm(config.algorithm());
  STARLING_CHECK(algorithm.ok());
  const bool averages = config.averaging().period_steps() > 0;
  Declared declared;
  declared.communicates = algorithm->mix != nullptr || averages;
  declared.conserves_sum = algorithm->mix == nullptr || algorithm->mix->conserves_sum();
  declared.contracts = declared.communicates;
  return declared;
}

}  // namespace starling
