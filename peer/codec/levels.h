// The quantiser of qsgd and dqsgd: a bucket of up to 512 numbers as a norm and, for each number, a
// sign and a level, packed to `bits` bits.
//
//   s = 2^(bits - 1) - 1          number = sign * level * (norm / s)
//   norm = largest magnitude      level = floor(s |v| / norm + draw), draw uniform over [0, 1)
//
// so that the mean over the draws is the number itself. Code i lies in bits [i bits, (i + 1) bits),
// counted from the lowest bit of the first byte: level in the lower bits, sign in the highest.
//
// A bucket on the wire: float norm, then the codes. Its length follows from `count` and `bits`. A
// norm below 1e-30 is written as 0, and one that is not finite as it is.

#ifndef STARLING_PEER_CODEC_LEVELS_H_
#define STARLING_PEER_CODEC_LEVELS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "peer/codec/codec.h"
#include "peer/runtime/isa.h"

namespace starling {

inline constexpr size_t kBucket = 512;
// With 2 bits, a single level, a number far below the norm becomes 0 or the norm itself, so that what is
// left of a difference may be as large as the difference was. Exchanges that overlap then drive peers
// apart: five simulated peers with elastic_gossip:p=1 went to infinity, and agree with 3 bits.
inline constexpr uint32_t kLeastBits = 3;
inline constexpr uint32_t kMostBits = 8;

inline constexpr uint32_t LevelsOf(uint32_t bits) { return (1u << (bits - 1)) - 1; }
inline constexpr size_t BucketBytes(size_t count, uint32_t bits) {
  return sizeof(float) + (count * bits + 7) / 8;
}

// Largest magnitude of at most kBucket values, 0 if it is below 1e-30.
float BucketNorm(absl::Span<const float> values, Isa isa);

// Writes BucketBytes. Draws are numbers `counter` and following of `key`. `norm` as BucketNorm.
void EncodeBucket(absl::Span<const float> values, float norm, uint32_t bits, uint32_t key,
                  uint32_t counter, Isa isa, char* out);
// `bytes` has BucketBytes; any will do.
void DecodeBucket(const char* bytes, uint32_t bits, Isa isa, absl::Span<float> values);
// No number that the bucket decodes to is larger; not finite if one of them may not be.
float BucketPeak(const char* bytes);

// The error over one bucket encoded with so many bits.
CodecError BucketError(absl::Span<const float> values, uint32_t bits);

}  // namespace starling

#endif  // STARLING_PEER_CODEC_LEVELS_H_
