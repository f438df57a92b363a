// Whether a frame belongs to us at all: same run, same configuration epoch, same model, and a shard
// that fits our parameters. Judged before anything else looks at a payload.

#ifndef STARLING_PEER_GOSSIP_ADMISSION_H_
#define STARLING_PEER_GOSSIP_ADMISSION_H_

#include <cstdint>

#include "absl/types/optional.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/ids.h"
#include "peer/transport/frame.h"

namespace starling {

// Who we are, as every frame of ours says. Constant for the life of a daemon.
struct FrameIdentity {
  PeerId peer;
  Incarnation incarnation = 0;
  RunId run;
  uint64_t epoch = 1;
  ModelFingerprint model;
  ShardMap shards;
};

// Fills the identity and the geometry of `shard` into a header.
void StampHeader(const FrameIdentity& self, uint32_t shard, v1::ShardHeader& header);

// nullopt if the frame may be looked at, else why not: WRONG_RUN, WRONG_EPOCH (not judged for
// the coordinator's averaging frames, whose epoch is its own), WRONG_MODEL, WRONG_LENGTH (not judged
// for the algorithm's own rounds, which do it themselves), BAD_REQUEST (a
// frame that claims to be from ourselves or from nobody).
absl::optional<FrameFault> Admit(const FrameIdentity& self, const v1::ShardHeader& header);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_ADMISSION_H_
