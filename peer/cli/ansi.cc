#include "peer/cli/ansi.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

constexpr char kEscape = '\x1b';

const char* Code(Ink ink) {
  switch (ink) {
    case Ink::kPlain: return "";
    case Ink::kBold: return "1";
    case Ink::kDim: return "2";
    case Ink::kGreen: return "32";
    case Ink::kYellow: return "33";
    case Ink::kRed: return "31";
  }
  return "";
}

// Length of the escape sequence at the start of `text`: ESC '[' parameters, then one letter.
size_t EscapeLength(absl::string_view text) {
  if (text.size() < 2 || text[0] != kEscape || text[1] != '[') return 0;
  size_t end = 2;
  while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
  return end < text.size() ? end + 1 : end;
}

// True for the second and later bytes of a UTF-8 character.
bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string Paint(Ink ink, absl::string_view text, bool colour) {
  if (!colour || ink == Ink::kPlain || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", Code(ink), "m", text, "\x1b[0m");
}

int VisibleWidth(absl::string_view text) {
  int width = 0;
  for (size_t i = 0; i < text.size();) {
    if (const size_t escape = EscapeLength(text.substr(i)); escape > 0) {
      i += escape;
      continue;
    }
    if (!IsContinuation(text[i])) ++width;
    ++i;
  }
  return width;
}

std::string Clip(absl::string_view text, int width) {
  std::string clipped;
  int used = 0;
  for (size_t i = 0; i < text.size();) {
    if (const size_t escape = EscapeLength(text.substr(i)); escape > 0) {
      clipped.append(text.data() + i, escape);
      i += escape;
      continue;
    }
    if (!IsContinuation(text[i])) ++used;
    if (used <= width) clipped.push_back(text[i]);
    ++i;
  }
  return clipped;
}

}  // namespace starling
