#include "peer/runtime/one_line.h"

namespace starling {

std::string OneLine(absl::string_view text, size_t limit) {
  const bool cut = text.size() > limit;
  size_t size = cut ? limit : text.size();
  // Bytes 10xxxxxx continue a character that began earlier.
  while (cut && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  std::string line(text.substr(0, size));
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return cut ? line + "..." : line;
}

}  // namespace starling
