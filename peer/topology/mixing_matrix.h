// The n x n mixing matrix of a round, written out: row i holds the weights with which i combines
// everybody's values. For tests, and to look at; a peer needs no more than its own row.

#ifndef STARLING_PEER_TOPOLOGY_MIXING_MATRIX_H_
#define STARLING_PEER_TOPOLOGY_MIXING_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "peer/topology/topology.h"

namespace starling {

// A value type.
class MixingMatrix {
 public:
  // Nobody mixes. members >= 1.
  explicit MixingMatrix(size_t members);

  // The round of `place`, seen from all its members; `place.self` is ignored. Calls Of() n times.
  static MixingMatrix Of(const Topology& topology, const RoundPlace& place);

  // The product W_{r-1} ... W_1 W_0 of `rounds` rounds from `place.round` on: what is left of x is
  // this times x. O(n^2 * degree) a round.
  static MixingMatrix Of(const Topology& topology, const RoundPlace& place, uint64_t rounds);

  size_t members() const { return members_; }
  double at(size_t row, size_t column) const { return weights_[row * members_ + column]; }

  // All to within `tolerance`, and no weight below 0.
  bool RowStochastic(double tolerance = 1e-12) const;
  bool ColumnStochastic(double tolerance = 1e-12) const;
  bool DoublyStochastic(double tolerance = 1e-12) const;
  bool Symmetric(double tolerance = 1e-12) const;

  // The largest |w_ij - 1/n|: 0 where everybody has the exact mean.
  double DistanceToMean() const;

  friend bool operator==(const MixingMatrix&, const MixingMatrix&) = default;

 private:
  double& at(size_t row, size_t column) { return weights_[row * members_ + column]; }

  size_t members_;
  std::vector<double> weights_;  // row by row
};

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_MIXING_MATRIX_H_
