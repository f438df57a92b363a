// Floats seen as bits, unaligned access, and random numbers that follow from a key and a counter.

#ifndef STARLING_PEER_CODEC_BITS_H_
#define STARLING_PEER_CODEC_BITS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "peer/runtime/isa.h"

namespace starling {

static_assert(std::endian::native == std::endian::little,
              "payloads are little-endian and are moved as they lie in memory");

inline constexpr uint32_t kMagnitudeMask = 0x7fffffff;
// Magnitudes from here on are infinity and NaN. As integers, magnitudes sort like the numbers.
inline constexpr uint32_t kInfinityBits = 0x7f800000;

STARLING_KERNEL_INLINE uint32_t BitsOf(float value) { return std::bit_cast<uint32_t>(value); }
STARLING_KERNEL_INLINE float FloatOf(uint32_t bits) { return std::bit_cast<float>(bits); }
STARLING_KERNEL_INLINE uint32_t MagnitudeOf(float value) { return BitsOf(value) & kMagnitudeMask; }
STARLING_KERNEL_INLINE bool IsFinite(float value) { return MagnitudeOf(value) < kInfinityBits; }

template <typename T>
STARLING_KERNEL_INLINE T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}
template <typename T>
STARLING_KERNEL_INLINE void Store(char* to, T value) {
  std::memcpy(to, &value, sizeof(value));
}

// The largest magnitude; infinity or NaN if there is one among the values.
STARLING_KERNEL_INLINE float LargestMagnitude(const float* values, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = MagnitudeOf(values[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  return FloatOf(largest);
}

// The `counter`-th random number of a key: 32 bits, the same on every machine, in any order. The
// mixer is lowbias32 (Chris Wellons, public domain), whose every output bit depends on every input
// bit within 0.2 % of evenly.
STARLING_KERNEL_INLINE uint32_t CounterRandom(uint32_t key, uint32_t counter) {
  uint32_t x = counter * 0x9e3779b9u + key;
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return x;
}

// Uniform over [0, 1) in steps of 2^-16: coarse enough that a sum with a number below 128 is exact.
STARLING_KERNEL_INLINE float CounterUniform(uint32_t key, uint32_t counter) {
  return static_cast<float>(static_cast<int32_t>(CounterRandom(key, counter) >> 16)) *
         (1.0f / 65536);
}

// The key of one tile of a payload, from the payload's seed (SplitMix64's finaliser).
inline uint32_t TileKey(uint64_t seed, uint64_t tile) {
  uint64_t x = seed + (tile + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<uint32_t>((x ^ (x >> 31)) >> 32);
}

}  // namespace starling

#endif  // STARLING_PEER_CODEC_BITS_H_
