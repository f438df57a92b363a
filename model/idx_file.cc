#include "model/idx_file.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/byte_source.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
constexpr size_t kFirstChunk = 1 << 20;

uint32_t BigEndian32(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

absl::Status Corrupt(const std::string& path, uint64_t offset, absl::string_view expected,
                     absl::string_view found) {
  return absl::DataLossError(
      absl::StrCat(path, ": at offset ", offset, ": expected ", expected, ", found ", found));
}

// Reads `count` bytes at `offset`, growing `out` as they arrive.
absl::Status ReadExactly(const std::string& path, ByteSource& source, uint64_t offset, size_t count,
                         std::vector<uint8_t>& out) {
  size_t filled = 0;
  while (filled < count) {
    out.resize(std::min(count, std::max(kFirstChunk, 2 * filled)));
    const size_t wanted = out.size() - filled;
    absl::StatusOr<size_t> read = source.Read(absl::MakeSpan(out).subspan(filled));
    if (!read.ok()) return read.status();
    filled += *read;
    if (*read < wanted) {
      return Corrupt(path, offset + filled, absl::StrCat(count - filled, " more bytes"),
                     "the end of the file");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<IdxFile> ReadIdxFile(const std::string& path, int dimensions) {
  STARLING_CHECK(dimensions >= 1 && dimensions <= 4);
  absl::StatusOr<std::unique_ptr<ByteSource>> source = OpenByteSource(path);
  if (!source.ok()) return source.status();

  std::vector<uint8_t> word;
  if (absl::Status status = ReadExactly(path, **source, 0, 4, word); !status.ok()) return status;
  const uint32_t magic = 0x0800 + static_cast<uint32_t>(dimensions);
  if (const uint32_t found = BigEndian32(word.data()); found != magic) {
    return Corrupt(path, 0, absl::StrFormat("IDX magic number %08x", magic),
                   absl::StrFormat("%08x", found));
  }

  IdxFile file;
  uint64_t total = 1;
  for (int i = 0; i < dimensions; ++i) {
    const uint64_t offset = 4 + 4 * static_cast<uint64_t>(i);
    if (absl::Status status = ReadExactly(path, **source, offset, 4, word); !status.ok()) {
      return status;
    }
    file.sizes.push_back(BigEndian32(word.data()));
    total *= file.sizes.back();  // at most 2^30 * 2^32
    if (total > kMaxBytes) {
      return Corrupt(path, offset, absl::StrCat("sizes whose product is at most ", kMaxBytes),
                     absl::StrJoin(file.sizes, " x "));
    }
  }
  if (absl::Status status =
          ReadExactly(path, **source, file.header_bytes(), static_cast<size_t>(total), file.bytes);
      !status.ok()) {
    return status;
  }
  uint8_t extra = 0;
  absl::StatusOr<size_t> read = (*source)->Read(absl::MakeSpan(&extra, 1));
  if (!read.ok()) return read.status();
  if (*read != 0) {
    return Corrupt(path, file.header_bytes() + total, "the end of the file", "more bytes");
  }
  return file;
}

}  // namespace starling
