// Reads one file of the IDX format, in which MNIST and its descendants are published: a magic
// number 00 00 08 RR (08 = unsigned bytes, RR = number of dimensions), RR sizes as 32-bit
// big-endian numbers, then exactly their product of bytes.

#ifndef STARLING_MODEL_IDX_FILE_H_
#define STARLING_MODEL_IDX_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace starling {

struct IdxFile {
  std::vector<uint32_t> sizes;
  std::vector<uint8_t> bytes;  // row-major, length the product of `sizes`

  // Where `bytes` begins in the (uncompressed) file.
  size_t header_bytes() const { return 4 + 4 * sizes.size(); }
};

// Reads a plain file, or a gzip one if the name ends in ".gz". Memory follows what the file really
// holds, never what its header claims, up to 1 GiB. `dimensions` is 1 to 4.
// NOT_FOUND, PERMISSION_DENIED: as OpenByteSource. DATA_LOSS: not IDX, another number of
// dimensions, truncated, trailing bytes or damaged compression; names the file, the offset, what
// was expected and what was found.
absl::StatusOr<IdxFile> ReadIdxFile(const std::string& path, int dimensions);

}  // namespace starling

#endif  // STARLING_MODEL_IDX_FILE_H_
