// Strong types for the names of things, so that a peer id is never passed where a run id belongs.
//
// Every id is 64 random or hashed bits, shown to people as 16 hexadecimal digits. 0 means "none".

#ifndef STARLING_PEER_RUNTIME_IDS_H_
#define STARLING_PEER_RUNTIME_IDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace starling {

template <typename Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(uint64_t value) : value_(value) {}

  constexpr uint64_t value() const { return value_; }
  constexpr bool empty() const { return value_ == 0; }
  std::string ToString() const { return absl::StrCat(absl::Hex(value_, absl::kZeroPad16)); }

  // Parses 1 to 16 hexadecimal digits; false if `text` is anything else.
  static bool Parse(absl::string_view text, Id* id) {
    uint64_t value = 0;
    if (text.empty() || text.size() > 16 || text.find_first_not_of("0123456789abcdefABCDEF") !=
                                                absl::string_view::npos ||
        !absl::SimpleHexAtoi(text, &value)) {
      return false;
    }
    *id = Id(value);
    return true;
  }

  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  uint64_t value_ = 0;
};

// One daemon, across its restarts.
using PeerId = Id<struct PeerIdTag>;
// One training run: a hash of its configuration.
using RunId = Id<struct RunIdTag>;
// One exchange, unique for its initiator and incarnation.
using ExchangeId = Id<struct ExchangeIdTag>;
// What a model is: a hash of the names and shapes of its parameters.
using ModelFingerprint = Id<struct ModelFingerprintTag>;

// Grows with every start of a peer: of two statements about one peer the one with the higher
// incarnation is true. Milliseconds since 1970 at the start of the process.
using Incarnation = uint64_t;

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_IDS_H_
