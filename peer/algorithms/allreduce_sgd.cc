// Synchronous data parallelism: the gradient of every step is the mean over all workers. A gradient has
// no force that brings workers back together once they differ (a worker that missed a round, a newcomer's
// optimizer state), so every `resync` steps the parameters are averaged too; among workers that never
// missed anything that changes nothing.

#include "peer/algorithms/row.h"

namespace starling {

AlgorithmRow AllreduceSgdRow() {
  return {
      "allreduce_sgd",
      "all workers step by the mean of their gradients, in step with each other",
      "",
      "",
      {{"resync", 100, 0, 1e9, true, true,
        "steps between averages of the parameters, against differences after faults; 0: never"}},
      AlgorithmGuarantees{.because = "gradients are averaged, parameters every resync steps"},
      {},
      [](const AlgorithmOptions& options,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        Algorithm algorithm;
        algorithm.rounds = AverageGradients(options.Whole("resync"));
        return algorithm;
      }};
}

}  // namespace starling
