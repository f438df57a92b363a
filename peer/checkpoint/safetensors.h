// The safetensors file format (github.com/huggingface/safetensors), for float32 tensors that lie one after
// the other, as a model's parameters do:
//
//   u64, little-endian: length of the header │ header: JSON, padded with spaces │ data, little-endian
//   {"__metadata__": {"key": "value"}, "fc1.weight": {"dtype": "F32", "shape": [512, 784],
//    "data_offsets": [0, 1605632]}, ...}
//
// What is written here any reader of the format loads; what is read here may come from anybody: every
// length is checked before it is believed, and the tensors must cover the data without holes or overlaps.
// Pure.

#ifndef STARLING_PEER_CHECKPOINT_SAFETENSORS_H_
#define STARLING_PEER_CHECKPOINT_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

struct TensorLayout {
  std::string name;
  std::vector<int64_t> shape;

  friend bool operator==(const TensorLayout&, const TensorLayout&) = default;
};

struct SafetensorsHeader {
  std::vector<TensorLayout> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
  uint64_t data_offset = 0;  // bytes from the beginning of the file
  uint64_t data_bytes = 0;
};

// The length prefix.
constexpr size_t kSafetensorsPrefix = 8;
// Longer headers are refused, here and by other readers.
constexpr uint64_t kLongestSafetensorsHeader = 100'000'000;

// Prefix and header; the data follow. Names differ from each other and from "__metadata__", shapes are not
// negative (aborts).
std::string MakeSafetensorsHeader(const std::vector<TensorLayout>& tensors,
                                  const std::map<std::string, std::string>& metadata);

// Length of prefix and header together, from the first 8 bytes of a file of `file_bytes`.
// DATA_LOSS: no safetensors file, or a truncated one.
absl::StatusOr<uint64_t> SafetensorsDataOffset(absl::string_view prefix, uint64_t file_bytes);

// `head` is the file up to its data. DATA_LOSS: malformed or truncated. INVALID_ARGUMENT: a tensor is
// not float32; names it and its type.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view head,
                                                         uint64_t file_bytes);

}  // namespace starling

#endif  // STARLING_PEER_CHECKPOINT_SAFETENSORS_H_
