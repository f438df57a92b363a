#include "peer/transport/wire.h"

#include <algorithm>
#include <cstdint>
#include <utility>

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
constexpr uint32_t kWordTag = Tag(v1::ShardFrame::kSameHostFieldNumber, kDelimited);
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

template <typename Message>
void AppendMessage(uint32_t tag, const Message& message, std::string* out) {
  AppendVarint(tag, out);
  AppendVarint(message.ByteSizeLong(), out);
  message.AppendToString(out);
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

std::string EncodeFramePrefix(const v1::ShardHeader& header, size_t payload_size,
                              const v1::SameHost* word) {
  std::string prefix;
  prefix.reserve(header.ByteSizeLong() + (word == nullptr ? 0 : word->ByteSizeLong()) + 24);
  AppendMessage(kHeaderTag, header, &prefix);
  if (word != nullptr) AppendMessage(kWordTag, *word, &prefix);
  if (payload_size > 0) {
    AppendVarint(kPayloadTag, &prefix);
    AppendVarint(payload_size, &prefix);
  }
  return prefix;
}

std::string EncodeWord(const v1::SameHost& word) {
  std::string bytes;
  AppendMessage(kWordTag, word, &bytes);
  return bytes;
}

absl::Status ParseFrame(absl::Span<const absl::string_view> slices, WireFrame* frame) {
  Cursor cursor(slices);
  bool have_payload = false;
  while (cursor.left() > 0) {
    uint64_t tag = 0;
    uint64_t size = 0;
    if (!cursor.ReadVarint32(&tag) || tag >> 3 == 0) return Malformed(cursor, "bad field tag");
    if (tag != kHeaderTag && tag != kWordTag && tag != kPayloadTag) {
      if (!SkipValue(tag, cursor)) return Malformed(cursor, "bad unknown field");
      continue;
    }
    if (!cursor.ReadVarint32(&size) || size > cursor.left()) {
      return Malformed(cursor, "field longer than the message");
    }
    if (tag == kPayloadTag) {
      if (std::exchange(have_payload, true)) return Malformed(cursor, "second payload");
      frame->payload_size = size;
      cursor.ReadPieces(size,
                        [frame](absl::string_view piece) { frame->payload.push_back(piece); });
      continue;
    }
    const bool is_header = tag == kHeaderTag;
    if (is_header ? frame->has_header : frame->word.has_value()) {
      return Malformed(cursor, is_header ? "second header" : "second word");
    }
    if (size > kMaxHeaderBytes) {
      return Malformed(cursor, absl::StrCat("header of ", size, " bytes, limit ", kMaxHeaderBytes));
    }
    std::string bytes;
    bytes.reserve(size);
    cursor.ReadPieces(
        size, [&bytes](absl::string_view piece) { bytes.append(piece.data(), piece.size()); });
    if (is_header) {
      frame->has_header = true;
      if (!frame->header.ParseFromString(bytes)) return Malformed(cursor, "bad header");
    } else if (!frame->word.emplace().ParseFromString(bytes)) {
      return Malformed(cursor, "bad word");
    }
  }
  if (frame->payload_size > kMaxPayloadBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("payload of ", frame->payload_size,
                                                     " bytes, limit ", kMaxPayloadBytes));
  }
  return absl::OkStatus();
}

}  // namespace starling
