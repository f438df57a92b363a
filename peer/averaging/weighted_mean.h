// The arithmetic of a reduction. Pure.

#ifndef STARLING_PEER_AVERAGING_WEIGHTED_MEAN_H_
#define STARLING_PEER_AVERAGING_WEIGHTED_MEAN_H_

#include "absl/types/span.h"

namespace starling {

struct WeightedValues {
  double weight = 1;  // finite, above 0
  absl::Span<const float> values;
};

// mean[i] = sum_k weight_k * values_k[i] / sum_k weight_k, summed in double in the order of `terms`
// and rounded to float once. Equal terms of weight 1 give themselves back exactly. `terms` is not
// empty; all spans are as long as `mean`.
void WeightedMean(absl::Span<const WeightedValues> terms, absl::Span<float> mean);

}  // namespace starling

#endif  // STARLING_PEER_AVERAGING_WEIGHTED_MEAN_H_
