#include "tests/sim/declared.h"

#include "peer/algorithms/registry.h"
#include "peer/runtime/check.h"

namespace starling {

Declared DeclaredBy(const v1::RunConfig& config) {
  const AlgorithmRow* const row = FindAlgorithm(config.algorithm().name());
  const auto algorithm = MakeAlgorithm(config.algorithm());
  STARLING_CHECK(row != nullptr && algorithm.ok());
  const bool averages = config.averaging().period_steps() > 0;
  const AlgorithmGuarantees& guarantees = row->guarantees;
  Declared declared;
  declared.communicates = algorithm->mix != nullptr || !algorithm->rounds.empty() || averages;
  // A round moves the sum while it lasts, and for good if somebody vanishes in it.
  declared.conserves_sum =
      guarantees.sum == AlgorithmGuarantees::Sum::kConserved && algorithm->rounds.empty();
  declared.contracts = averages || (declared.communicates && guarantees.contracts);
  declared.keeps_agreement = guarantees.agreement_is_fixed;
  return declared;
}

}  // namespace starling
