// Text from the network or a file, made fit for one line of a log or a table.

#ifndef STARLING_PEER_RUNTIME_ONE_LINE_H_
#define STARLING_PEER_RUNTIME_ONE_LINE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace starling {

// `text` with control characters turned into blanks, cut to `limit` bytes (never inside a UTF-8
// character) with "..." at the end if it was longer.
std::string OneLine(absl::string_view text, size_t limit = 200);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ONE_LINE_H_
