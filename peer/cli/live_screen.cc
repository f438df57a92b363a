#include "peer/cli/live_screen.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "peer/cli/ansi.h"

namespace starling {
namespace {

absl::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Size {
  int rows = 24;
  int columns = 80;
};

Size TerminalSize(std::FILE* stream) {
  struct winsize window = {};
  if (ioctl(fileno(stream), TIOCGWINSZ, &window) != 0 || window.ws_row == 0 ||
      window.ws_col == 0) {
    return {};
  }
  return {.rows = window.ws_row, .columns = window.ws_col};
}

}  // namespace

LiveScreen::LiveScreen(std::FILE* stream)
    : stream_(stream),
      live_(isatty(fileno(stream)) == 1 && Environment("TERM") != "dumb"),
      colour_(live_ && Environment("NO_COLOR").empty()) {}

void LiveScreen::Draw(const std::vector<std::string>& lines) {
  std::string text;
  if (!live_) {
    for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  } else {
    // A frame as high as the terminal would scroll, and a scrolled line cannot be redrawn.
    const Size size = TerminalSize(stream_);
    const size_t rows = std::min<size_t>(lines.size(), std::max(1, size.rows - 1));
    if (drawn_ > 0) absl::StrAppend(&text, "\x1b[", drawn_, "A");
    absl::StrAppend(&text, "\r");
    for (size_t i = 0; i < rows; ++i) {
      absl::StrAppend(&text, Clip(lines[i], size.columns), "\x1b[K\n");
    }
    absl::StrAppend(&text, "\x1b[J");
    drawn_ = rows;
  }
  std::fputs(text.c_str(), stream_);
  std::fflush(stream_);
}

void LiveScreen::Erase() {
  if (drawn_ == 0) return;
  std::fputs(absl::StrCat("\x1b[", drawn_, "A\r\x1b[J").c_str(), stream_);
  std::fflush(stream_);
  drawn_ = 0;
}

void LiveScreen::Say(const std::string& line) {
  Erase();
  std::fputs(absl::StrCat(line, "\n").c_str(), stream_);
  std::fflush(stream_);
}

}  // namespace starling
