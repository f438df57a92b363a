#include "tests/sim/declared.h"

#include <algorithm>

#include "peer/algorithms/registry.h"
#include "peer/runtime/check.h"

namespace starling {

Declared DeclaredBy(const v1::RunConfig& config) {
  const AlgorithmRow* const row = FindAlgorithm(config.algorithm().name());
  const auto algorithm = MakeAlgorithm(config.algorithm(), {config.data().parts(), config.seed()});
  STARLING_CHECK(row != nullptr && algorithm.ok());
  const bool averages = config.averaging().period_steps() > 0;
  const AlgorithmGuarantees& guarantees = row->guarantees;
  Declared declared;
  declared.communicates = algorithm->mix != nullptr || !algorithm->rounds.empty() || averages;
  declared.communicates_without_gradients =
      averages || (declared.communicates && !guarantees.needs_losses);
  // A round moves the sum while it lasts, and for good if somebody vanishes in it.
  declared.conserves_sum =
      guarantees.sum == AlgorithmGuarantees::Sum::kConserved && algorithm->rounds.empty();
  // The coordinator's averages make all agree for a moment; outer optimizers then go back to anchors that
  // know nothing of that. So beside rounds they prove nothing.
  declared.contracts = algorithm->rounds.empty()
                           ? averages || (declared.communicates && guarantees.contracts)
                           : guarantees.contracts && !averages;
  declared.halves_in = guarantees.halves_in;
  declared.keeps_agreement = guarantees.agreement_is_fixed;
  // Where peers exchange, some may have copied others before these began: see ConservationChecker.
  const bool only_rounds = algorithm->mix == nullptr && !algorithm->rounds.empty();
  declared.keeps_sum = only_rounds && guarantees.sum == AlgorithmGuarantees::Sum::kConserved;
  declared.keeps_weighted_sum =
      only_rounds && guarantees.sum == AlgorithmGuarantees::Sum::kWeighted;
  declared.moves_mass = algorithm->mix != nullptr && algorithm->mix->moves_mass();
  declared.needs_centre = algorithm->needs_centre;
  for (const RoundSpec& round : algorithm->rounds) {
    declared.moves_mass |= round.moves_mass;
    declared.least_parameters = std::max(declared.least_parameters, round.fragments);
    // Also one that overlaps with steps must end before the next one begins.
    if (!round.final_merge) {
      declared.longest_period = std::max(declared.longest_period, round.period);
    }
    declared.rounds_waited_for += round.delay != RoundSpec::kBackground;
  }
  return declared;
}

}  // namespace starling
