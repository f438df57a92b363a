// How the parameter vector is cut into shards, the unit of every exchange: equal parts of
// `shard_elements` parameters, the last one shorter. All peers of a run cut alike.

#ifndef STARLING_PEER_GOSSIP_SHARD_MAP_H_
#define STARLING_PEER_GOSSIP_SHARD_MAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace starling {

struct ShardMap {
  size_t elements = 0;        // parameters in the whole vector
  size_t shard_elements = 1;  // parameters in one shard, at least 1

  uint32_t count() const {
    return static_cast<uint32_t>((elements + shard_elements - 1) / shard_elements);
  }
  // First parameter and number of parameters of a shard below count().
  size_t offset(uint32_t shard) const { return size_t{shard} * shard_elements; }
  size_t length(uint32_t shard) const { return std::min(shard_elements, elements - offset(shard)); }
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_SHARD_MAP_H_
