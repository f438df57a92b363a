// A file read once from front to back, plain or gzip, a bounded piece at a time.

#ifndef STARLING_MODEL_BYTE_SOURCE_H_
#define STARLING_MODEL_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace starling {

// Thread-compatible. Holds one open file and, for gzip, zlib's window and one buffer of 64 KiB.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Reads up to out.size() bytes and returns how many; fewer only at the end of the contents.
  // DATA_LOSS: a gzip stream that is damaged or cut off, or reading the disk failed.
  virtual absl::StatusOr<size_t> Read(absl::Span<uint8_t> out) = 0;
};

// Opens a regular file; one whose name ends in ".gz" is decompressed, and must be a single gzip
// stream.
// NOT_FOUND: no such file. PERMISSION_DENIED: it may not be read. DATA_LOSS: not a regular file.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path);

}  // namespace starling

#endif  // STARLING_MODEL_BYTE_SOURCE_H_
