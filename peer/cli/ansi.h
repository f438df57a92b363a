// Text for terminals: how wide it looks, how to cut it, how to colour it. Stateless, any thread.
// Text that came over the network passes through OneLine() (peer/runtime/one_line.h) before it gets
// here, so that a daemon cannot write commands to the reader's terminal.

#ifndef STARLING_PEER_CLI_ANSI_H_
#define STARLING_PEER_CLI_ANSI_H_

#include <string>

#include "absl/strings/string_view.h"

namespace starling {

enum class Ink { kPlain, kBold, kDim, kGreen, kYellow, kRed };

// `text` in that ink, or `text` itself if `colour` is false or there is nothing to paint.
std::string Paint(Ink ink, absl::string_view text, bool colour);

// Columns that `text` takes on a terminal: escape sequences count nothing, a UTF-8 character one.
int VisibleWidth(absl::string_view text);

// The first `width` visible columns of `text`. Escape sequences are all kept, so no colour leaks.
std::string Clip(absl::string_view text, int width);

}  // namespace starling

#endif  // STARLING_PEER_CLI_ANSI_H_
