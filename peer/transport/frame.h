// A shard frame as the actors see it, and the checks that need nothing but the frame itself.
//
// On the wire a frame is the protobuf message v1.ShardFrame; in memory its header is an ordinary
// message and its payload a reference to memory that is shared, never copied.

#ifndef STARLING_PEER_TRANSPORT_FRAME_H_
#define STARLING_PEER_TRANSPORT_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/runtime/shared_bytes.h"
#include "proto/peer.pb.h"

namespace starling {

struct Frame {
  v1::ShardHeader header;
  SharedBytes payload;
  // Of the payload's numbers none is larger in magnitude; InspectFrame sets it. Not on the wire.
  float peak = std::numeric_limits<float>::infinity();
};

// Largest payload that anybody accepts: 16 MiB. Shards are 1 MiB by default; gRPC's own limit for
// a message is set just above it.
inline constexpr size_t kMaxPayloadBytes = size_t{16} << 20;
// Largest header: a list of contributors is its only part that grows (9 bytes a peer).
inline constexpr size_t kMaxHeaderBytes = size_t{64} << 10;

// What is wrong with a frame.
struct FrameFault {
  v1::RefusalReason reason;
  std::string detail;
  // Of a round's frame: the last round that this peer began, as frames number them; else 0.
  uint64_t current_round = 0;
  // Asking again sooner would be in vain; else 0.
  absl::Duration retry_after = absl::ZeroDuration();
};

// XXH3-64 of the payload, as `payload_hash` carries it.
uint64_t HashPayload(const SharedBytes& payload);

// How a receiver knows that the payload is what was sent: by its hash, or because it copied it from the
// sender's memory and made sure there.
enum class PayloadProof { kHash, kCopied };

// Sets payload_hash from the payload, if that is the proof, and the codec to fp32 unless it is set. The
// sending transport calls it.
void SealFrame(Frame& frame, PayloadProof proof = PayloadProof::kHash);

// Checks, in this order: known kind; known codec, and one that the kind allows; payload limits, for
// what it decodes to as well; a plain payload's length against `elements` (a payload may be absent
// where the kind allows it); payload hash, if that is the proof; that the payload decodes, to finite values.
// The receiving transport calls it before any actor sees the frame. nullopt if all is well; then the frame's peak
// is known.
absl::optional<FrameFault> InspectFrame(Frame& frame, PayloadProof proof = PayloadProof::kHash);

// The answer to a frame that is refused: header echoed, no payload. The sender fields are the
// caller's to fill.
Frame MakeRefusal(const v1::ShardHeader& refused, v1::RefusalReason reason, std::string detail);

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_FRAME_H_
