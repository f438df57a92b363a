// Something that an actor keeps and that others can make it keep more of: how many there are, and the most
// there may ever be. Tests and the simulator hold the one against the other.

#ifndef STARLING_PEER_RUNTIME_HOLDING_H_
#define STARLING_PEER_RUNTIME_HOLDING_H_

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"

namespace starling {

struct Holding {
  absl::string_view what;  // a literal
  size_t count;
  size_t limit;
};
using Holdings = std::vector<Holding>;

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_HOLDING_H_
