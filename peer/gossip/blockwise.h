// Sums over long vectors of floats, exact enough and fast: partial sums of a short block are kept in
// 16 independent float lanes (which vectorises without reordering anything behind the compiler's
// back, so every machine gets the same bits) and added up in double.

#ifndef STARLING_PEER_GOSSIP_BLOCKWISE_H_
#define STARLING_PEER_GOSSIP_BLOCKWISE_H_

#include <algorithm>
#include <cstddef>

namespace starling {

// Calls `term(i)` once for every i < count, in ascending order within a lane, and returns the sum of
// what it returned. `term` may write to memory of index i.
template <typename Term>
inline double SumBlockwise(size_t count, Term term) {
  constexpr size_t kLanes = 16;
  constexpr size_t kBlock = 1024;
  double total = 0;
  size_t i = 0;
  while (count - i >= kLanes) {
    const size_t end = i + std::min(kBlock, (count - i) / kLanes * kLanes);
    float lanes[kLanes] = {};
    for (; i < end; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
    }
    for (float lane : lanes) total += lane;
  }
  for (; i < count; ++i) total += term(i);
  return total;
}

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_BLOCKWISE_H_
