// Why can these two not talk, or why was this peer dropped? Findings from what was seen of one daemon, or of
// two, each with what to do about it. Pure.

#ifndef STARLING_PEER_CLI_DOCTOR_H_
#define STARLING_PEER_CLI_DOCTOR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/cli/tcp_probe.h"
#include "proto/status.pb.h"

namespace starling {

// What was seen of the daemon at `endpoint`.
struct DoctorFacts {
  std::string endpoint;
  TcpProbe tcp;
  // Its answer, or why there is none; not asked unless the port is open.
  absl::optional<v1::Status> status;
  absl::Status no_status;
  absl::Duration answered_in;
  absl::Time seen;  // by the wall clock here, half way through the call
};

struct Finding {
  enum class Kind { kGood, kNote, kProblem };
  Kind kind;
  std::string topic;  // "port"
  std::string text;   // what was found
  std::string fix;    // what to do; empty if there is nothing
};

// Address, port, listener, what it tells others to dial, its phase and its last error.
std::vector<Finding> Examine(const DoctorFacts& daemon);

// Version, identity, run, model, clock, and what each says of the other. Both have a status.
std::vector<Finding> Compare(const DoctorFacts& one, const DoctorFacts& other);

bool AnyProblem(const std::vector<Finding>& findings);

// "ok", "note" or "PROBLEM", topic and text, the fix below; `colour` for terminals.
std::string RenderFindings(const std::vector<Finding>& findings, bool colour);

}  // namespace starling

#endif  // STARLING_PEER_CLI_DOCTOR_H_
