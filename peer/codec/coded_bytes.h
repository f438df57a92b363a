// Numbers as they travel: the bytes of a payload, and how to read them.

#ifndef STARLING_PEER_CODEC_CODED_BYTES_H_
#define STARLING_PEER_CODEC_CODED_BYTES_H_

#include <cstddef>
#include <limits>
#include <utility>

#include "peer/runtime/shared_bytes.h"
#include "proto/peer.pb.h"

namespace starling {

// Copying copies a reference. Empty bytes: no payload.
struct CodedBytes {
  CodedBytes() = default;
  // Bytes that nobody has encoded are fp32.
  CodedBytes(SharedBytes its_bytes,  // NOLINT(google-explicit-constructor)
             v1::Codec its_codec = v1::CODEC_FP32)
      : bytes(std::move(its_bytes)), codec(its_codec) {}
  CodedBytes(SharedBytes its_bytes, v1::Codec its_codec, float its_peak)
      : bytes(std::move(its_bytes)), codec(its_codec), peak(its_peak) {}

  bool empty() const { return bytes.empty(); }

  SharedBytes bytes;
  v1::Codec codec = v1::CODEC_FP32;
  // No number that they decode to is larger in magnitude, as far as anybody has looked.
  float peak = std::numeric_limits<float>::infinity();
};

}  // namespace starling

#endif  // STARLING_PEER_CODEC_CODED_BYTES_H_
