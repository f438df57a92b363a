// Can this address be reached at all? Below gRPC, which tells all failures alike.

#ifndef STARLING_PEER_CLI_TCP_PROBE_H_
#define STARLING_PEER_CLI_TCP_PROBE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace starling {

struct TcpProbe {
  enum class Outcome { kOpen, kUnresolved, kRefused, kSilent, kUnreachable };
  Outcome outcome = Outcome::kUnresolved;
  // What the name stands for, "10.0.0.7"; of the last one tried `detail` says what the system did.
  std::vector<std::string> addresses;
  std::string detail;
};

// Resolves `host` and connects to each of its addresses in turn until one accepts, up to `timeout` for each.
// Blocks.
TcpProbe ProbeTcp(const std::string& host, const std::string& port, absl::Duration timeout);

// 127.0.0.0/8, ::1 and "localhost"; the addresses that mean "here" wherever they are dialed.
bool IsLoopback(absl::string_view host);
// 0.0.0.0 and ::, which can be listened on but not dialed.
bool IsUnspecified(absl::string_view host);

}  // namespace starling

#endif  // STARLING_PEER_CLI_TCP_PROBE_H_
