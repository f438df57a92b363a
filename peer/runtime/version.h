// The version that daemons report.

#ifndef STARLING_PEER_RUNTIME_VERSION_H_
#define STARLING_PEER_RUNTIME_VERSION_H_

#include "absl/strings/string_view.h"

namespace starling {

inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_VERSION_H_
