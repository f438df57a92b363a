#include "peer/checkpoint/safetensors.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "peer/runtime/check.h"

namespace starling {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kMetadata[] = "__metadata__";
constexpr uint64_t kAlignment = 8;

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("not an intact safetensors file: ", what));
}

std::string Quoted(const std::string& name) {
  return absl::StrCat("\"", absl::CHexEscape(name.substr(0, 64)), "\"");
}

// The bytes of a tensor of that shape; false if they are more than anything can hold.
bool BytesOf(const std::vector<int64_t>& shape, uint64_t* bytes) {
  uint64_t product = sizeof(float);
  for (const int64_t length : shape) {
    if (length < 0) return false;
    if (length > 0 && product > std::numeric_limits<uint64_t>::max() / static_cast<uint64_t>(length)) {
      return false;
    }
    product *= static_cast<uint64_t>(length);
  }
  *bytes = product;
  return true;
}

// JSON of which no object has one key twice, which the library would not mind.
Json ParseStrictly(absl::string_view text) {
  std::vector<std::set<std::string>> open;
  bool twice = false;
  auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      twice |= !open.back().insert(value.get<std::string>()).second;
    }
    return true;
  };
  Json json = Json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  return twice ? Json(Json::value_t::discarded) : json;
}

struct Placed {
  TensorLayout layout;
  uint64_t begin = 0;
  uint64_t end = 0;
};

absl::StatusOr<Placed> ReadTensor(const std::string& name, const Json& json) {
  const auto wrong = [&] { return Malformed(absl::StrCat("tensor ", Quoted(name), " is malformed")); };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets") || !json["dtype"].is_string() || !json["shape"].is_array()) {
    return wrong();
  }
  const std::string type = json["dtype"].get<std::string>();
  if (type != "F32") {
    return absl::InvalidArgumentError(absl::StrCat("tensor ", Quoted(name), " is ", Quoted(type),
                                                   "; only F32 can be read"));
  }
  Placed placed;
  placed.layout.name = name;
  for (const Json& length : json["shape"]) {
    if (!length.is_number_unsigned() ||
        length.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return wrong();
    }
    placed.layout.shape.push_back(length.get<int64_t>());
  }
  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return wrong();
  }
  placed.begin = offsets[0].get<uint64_t>();
  placed.end = offsets[1].get<uint64_t>();
  uint64_t bytes = 0;
  if (placed.end < placed.begin || !BytesOf(placed.layout.shape, &bytes) ||
      placed.end - placed.begin != bytes) {
    return Malformed(absl::StrCat("the offsets of tensor ", Quoted(name), " do not fit its shape"));
  }
  return placed;
}

}  // namespace

std::string MakeSafetensorsHeader(const std::vector<TensorLayout>& tensors,
                                  const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  if (!metadata.empty()) json[kMetadata] = metadata;
  uint64_t offset = 0;
  for (const TensorLayout& tensor : tensors) {
    uint64_t bytes = 0;
    STARLING_CHECK(!json.contains(tensor.name) && tensor.name != kMetadata);
    STARLING_CHECK(BytesOf(tensor.shape, &bytes));
    json[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string header = json.dump();
  while ((kSafetensorsPrefix + header.size()) % kAlignment != 0) header.push_back(' ');
  std::string file;
  for (size_t i = 0; i < kSafetensorsPrefix; ++i) {
    file.push_back(static_cast<char>(header.size() >> (8 * i)));
  }
  return file + header;
}

absl::StatusOr<uint64_t> SafetensorsDataOffset(absl::string_view prefix, uint64_t file_bytes) {
  if (prefix.size() < kSafetensorsPrefix) return Malformed("it is shorter than its prefix");
  uint64_t length = 0;
  for (size_t i = kSafetensorsPrefix; i > 0; --i) {
    length = length << 8 | static_cast<unsigned char>(prefix[i - 1]);
  }
  if (length > kLongestSafetensorsHeader || length > file_bytes ||
      file_bytes - length < kSafetensorsPrefix) {
    return Malformed(absl::StrCat("its header is said to have ", length, " bytes, the file has ",
                                  file_bytes));
  }
  return kSafetensorsPrefix + length;
}

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view head,
                                                         uint64_t file_bytes) {
  const auto offset = SafetensorsDataOffset(head, file_bytes);
  if (!offset.ok()) return offset.status();
  if (head.size() < *offset) return Malformed("it ends within its header");
  const absl::string_view text = head.substr(kSafetensorsPrefix, *offset - kSafetensorsPrefix);
  if (text.empty() || text.front() != '{') return Malformed("its header is no JSON object");
  const Json json = ParseStrictly(text);
  if (!json.is_object()) return Malformed("its header is no JSON object with each key once");

  SafetensorsHeader header;
  header.data_offset = *offset;
  header.data_bytes = file_bytes - *offset;
  std::vector<Placed> placed;
  for (const auto& [name, value] : json.items()) {
    if (name != kMetadata) {
      auto tensor = ReadTensor(name, value);
      if (!tensor.ok()) return tensor.status();
      placed.push_back(*std::move(tensor));
      continue;
    }
    if (!value.is_object()) return Malformed("its metadata are no object");
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string()) return Malformed("its metadata are not all strings");
      header.metadata[key] = text_value.get<std::string>();
    }
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t end = 0;
  for (Placed& tensor : placed) {
    if (tensor.begin != end) {
      return Malformed(absl::StrCat("tensor ", Quoted(tensor.layout.name), " begins at ",
                                    tensor.begin, " where ", end, " is next"));
    }
    end = tensor.end;
    header.tensors.push_back(std::move(tensor.layout));
  }
  if (end != header.data_bytes) {
    return Malformed(absl::StrCat("its tensors have ", end, " bytes, its data ", header.data_bytes));
  }
  return header;
}

}  // namespace starling
