// The hashes by which a newcomer knows that it holds exactly what the donor held. Pure.

#ifndef STARLING_PEER_STATE_STATE_HASH_H_
#define STARLING_PEER_STATE_STATE_HASH_H_

#include <cstdint>

#include "absl/status/status.h"
#include "peer/gossip/admission.h"
#include "peer/training/parameter_owner.h"
#include "proto/peer.pb.h"

namespace starling {

v1::StateManifest MakeManifest(const FrameIdentity& self, uint64_t state_id,
                               const Snapshot& snapshot);

// Of parameters that nobody froze: state id 0, no hashes.
v1::StateManifest MakeLiveManifest(const FrameIdentity& self, uint64_t step, uint64_t samples);

inline bool IsLive(const v1::StateManifest& manifest) { return manifest.state_id() == 0; }

// FAILED_PRECONDITION: the manifest is of another model or cut into other shards.
absl::Status CheckManifest(const FrameIdentity& self, const v1::StateManifest& manifest);

// True if `values`, the whole vector, has the manifest's hash.
bool MatchesManifest(const v1::StateManifest& manifest, const SharedBytes& values);

}  // namespace starling

#endif  // STARLING_PEER_STATE_STATE_HASH_H_
