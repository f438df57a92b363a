#include "peer/rounds/round.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/gossip/data_gate.h"

namespace starling {

absl::optional<FrameFault> CheckGeometry(const ShardMap& shards, const v1::ShardHeader& header,
                                         size_t payload_bytes, bool has_payload) {
  const uint32_t shard = header.shard();
  const bool fits = header.shard_count() == shards.count() && shard < shards.count() &&
                    header.offset() == shards.offset(shard) &&
                    header.elements() == shards.length(shard) &&
                    payload_bytes == (has_payload ? shards.length(shard) * sizeof(float) : 0);
  if (fits) return absl::nullopt;
  return FrameFault{v1::REFUSAL_REASON_WRONG_LENGTH,
                    absl::StrCat("shard ", shard, " of ", header.shard_count(), ", ",
                                 header.elements(), " numbers from ", header.offset(), " in ",
                                 payload_bytes, " bytes, does not fit a round of ", shards.elements,
                                 " numbers in ", shards.count(), " shards")};
}

absl::optional<FrameFault> CheckScale(const SharedBytes& incoming, const SharedBytes& own) {
  absl::optional<std::string> why = OutOfScale(incoming.floats(), own.floats());
  if (!why) return absl::nullopt;
  return FrameFault{v1::REFUSAL_REASON_OUT_OF_SCALE, *std::move(why)};
}

}  // namespace starling
