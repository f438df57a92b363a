#include "peer/transport/wire.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "peer/transport/frame.h"

namespace starling {
namespace {

enum WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kDelimited = 2,
  kGroupStart = 3,
  kGroupEnd = 4,
  kFixed32 = 5,
};

constexpr uint32_t Tag(int field, WireType type) {
  return static_cast<uint32_t>(field) << 3 | type;
}

constexpr uint32_t kHeaderTag = Tag(v1::ShardFrame::kHeaderFieldNumber, kDelimited);
constexpr uint32_t kPayloadTag = Tag(v1::ShardFrame::kPayloadFieldNumber, kDelimited);

constexpr int kMaxVarintBytes = 10;
// Groups may nest; protobuf itself gives up at 100.
constexpr int kMaxGroupDepth = 100;

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Reads forward through slices as if they were one.
class Cursor {
 public:
  explicit Cursor(absl::Span<const absl::string_view> slices) : slices_(slices) {
    for (absl::string_view slice : slices) left_ += slice.size();
    DropEmptySlices();
  }

  size_t left() const { return left_; }

  bool ReadVarint(uint64_t* value) {
    *value = 0;
    for (int i = 0; i < kMaxVarintBytes; ++i) {
      if (left_ == 0) return false;
      const auto byte = static_cast<uint8_t>(slices_.front()[offset_]);
      Advance(1);
      *value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return true;
    }
    return false;
  }

  // Tags and lengths: 32 bits in five bytes.
  bool ReadVarint32(uint64_t* value) {
    const size_t before = left_;
    return ReadVarint(value) && before - left_ <= 5 && *value <= UINT32_MAX;
  }

  bool Skip(size_t size) {
    return ReadPieces(size, [](absl::string_view) {});
  }

  template <typename Visitor>
  bool ReadPieces(size_t size, Visitor visit) {
    if (size > left_) return false;
    while (size > 0) {
      const absl::string_view piece = slices_.front().substr(offset_, size);
      visit(piece);
      size -= piece.size();
      Advance(piece.size());
    }
    return true;
  }

 private:
  // Within the current slice.
  void Advance(size_t size) {
    offset_ += size;
    left_ -= size;
    DropEmptySlices();
  }

  void DropEmptySlices() {
    while (!slices_.empty() && offset_ == slices_.front().size()) {
      slices_.remove_prefix(1);
      offset_ = 0;
    }
  }

  absl::Span<const absl::string_view> slices_;
  size_t offset_ = 0;
  size_t left_ = 0;
};

// Skips the value of an unknown field.
bool SkipValue(uint64_t tag, Cursor& cursor) {
  std::vector<uint64_t> groups;
  do {
    uint64_t value = 0;
    switch (tag & 7) {
      case kVarint:
        if (!cursor.ReadVarint(&value)) return false;
        break;
      case kFixed64:
        if (!cursor.Skip(8)) return false;
        break;
      case kFixed32:
        if (!cursor.Skip(4)) return false;
        break;
      case kDelimited:
        if (!cursor.ReadVarint32(&value) || !cursor.Skip(value)) return false;
        break;
      case kGroupStart:
        if (groups.size() == kMaxGroupDepth) return false;
        groups.push_back(tag >> 3);
        break;
      case kGroupEnd:
        if (groups.empty() || groups.back() != tag >> 3) return false;
        groups.pop_back();
        break;
      default:
        return false;
    }
    if (groups.empty()) return true;
  } while (cursor.ReadVarint32(&tag) && tag >> 3 != 0);
  return false;
}

absl::Status Malformed(const Cursor& cursor, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("not a shard frame: ", what, ", ", cursor.left(), " bytes before its end"));
}

}  // namespace

std::string EncodeFramePrefix(const v1::ShardHeader& header, size_t payload_size) {
  std::string prefix;
  const size_t header_size = header.ByteSizeLong();
  prefix.reserve(header_size + 16);
  AppendVarint(kHeaderTag, &prefix);
  AppendVarint(header_size, &prefix);
  header.AppendToString(&prefix);
  if (payload_size > 0) {
    AppendVarint(kPayloadTag, &prefix);
    AppendVarint(payload_size, &prefix);
  }
  return prefix;
}

absl::Status ParseFrame(absl::Span<const absl::string_view> slices, WireFrame* frame) {
  Cursor cursor(slices);
  bool have_header = false;
  bool have_payload = false;
  while (cursor.left() > 0) {
    uint64_t tag = 0;
    uint64_t size = 0;
    if (!cursor.ReadVarint32(&tag) || tag >> 3 == 0) return Malformed(cursor, "bad field tag");
    if (tag != kHeaderTag && tag != kPayloadTag) {
      if (!SkipValue(tag, cursor)) return Malformed(cursor, "bad unknown field");
      continue;
    }
    if (!cursor.ReadVarint32(&size) || size > cursor.left()) {
      return Malformed(cursor, "field longer than the message");
    }
    if (tag == kHeaderTag) {
      if (have_header) return Malformed(cursor, "second header");
      if (size > kMaxHeaderBytes) {
        return Malformed(cursor,
                         absl::StrCat("header of ", size, " bytes, limit ", kMaxHeaderBytes));
      }
      have_header = true;
      std::string bytes;
      bytes.reserve(size);
      cursor.ReadPieces(size, [&bytes](absl::string_view piece) {
        bytes.append(piece.data(), piece.size());
      });
      if (!frame->header.ParseFromString(bytes)) return Malformed(cursor, "bad header");
    } else {
      if (have_payload) return Malformed(cursor, "second payload");
      have_payload = true;
      frame->payload_size = size;
      cursor.ReadPieces(size,
                        [frame](absl::string_view piece) { frame->payload.push_back(piece); });
    }
  }
  if (frame->payload_size > kMaxPayloadBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("payload of ", frame->payload_size,
                                                     " bytes, limit ", kMaxPayloadBytes));
  }
  return absl::OkStatus();
}

}  // namespace starling
