#include "peer/topology/mixing_matrix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {

MixingMatrix::MixingMatrix(size_t members) : members_(members), weights_(members * members, 0.0) {
  STARLING_CHECK(members >= 1);
  for (size_t i = 0; i < members; ++i) at(i, i) = 1;
}

MixingMatrix MixingMatrix::Of(const Topology& topology, const RoundPlace& place) {
  return Of(topology, place, 1);
}

MixingMatrix MixingMatrix::Of(const Topology& topology, const RoundPlace& place, uint64_t rounds) {
  MixingMatrix product(place.members);
  RoundPlace at_member = place;
  for (uint64_t k = 0; k < rounds; ++k, ++at_member.round) {
    MixingMatrix next = product;
    for (size_t i = 0; i < place.members; ++i) {
      at_member.self = i;
      const Neighbours neighbours = topology.Of(at_member);
      const double own = OwnWeight(neighbours);
      for (size_t j = 0; j < place.members; ++j) {
        double sum = own * product.at(i, j);
        for (const Inbound& in : neighbours.in) sum += in.weight * product.at(in.from, j);
        next.at(i, j) = sum;
      }
    }
    product = std::move(next);
  }
  return product;
}

bool MixingMatrix::RowStochastic(double tolerance) const {
  for (size_t i = 0; i < members_; ++i) {
    double sum = 0;
    for (size_t j = 0; j < members_; ++j) {
      if (!(at(i, j) >= 0)) return false;
      sum += at(i, j);
    }
    if (!(std::abs(sum - 1) <= tolerance)) return false;
  }
  return true;
}

bool MixingMatrix::ColumnStochastic(double tolerance) const {
  for (size_t j = 0; j < members_; ++j) {
    double sum = 0;
    for (size_t i = 0; i < members_; ++i) {
      if (!(at(i, j) >= 0)) return false;
      sum += at(i, j);
    }
    if (!(std::abs(sum - 1) <= tolerance)) return false;
  }
  return true;
}

bool MixingMatrix::DoublyStochastic(double tolerance) const {
  return RowStochastic(tolerance) && ColumnStochastic(tolerance);
}

bool MixingMatrix::Symmetric(double tolerance) const {
  for (size_t i = 0; i < members_; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!(std::abs(at(i, j) - at(j, i)) <= tolerance)) return false;
    }
  }
  return true;
}

double MixingMatrix::DistanceToMean() const {
  const double mean = 1.0 / static_cast<double>(members_);
  double largest = 0;
  for (const double weight : weights_) largest = std::max(largest, std::abs(weight - mean));
  return largest;
}

}  // namespace starling
