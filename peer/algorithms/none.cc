// Every worker for itself: the baseline that communication has to beat.

#include "peer/algorithms/row.h"

namespace starling {

AlgorithmRow NoneRow() {
  return {
      "none",
      "every peer trains alone: the baseline",
      "",
      "",
      {},
      AlgorithmGuarantees{.contracts = false, .because = "peers never communicate"},
      {},
      [](const AlgorithmOptions&,
         const AlgorithmContext&) -> absl::StatusOr<Algorithm> {
        return Algorithm();
      }};
}

}  // namespace starling
