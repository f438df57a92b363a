#include "peer/topology/topology.h"

#include <algorithm>

namespace starling {

double OwnWeight(const Neighbours& neighbours) {
  double own = 1;
  for (const Inbound& inbound : neighbours.in) own -= inbound.weight;
  return std::max(own, 0.0);
}

}  // namespace starling
