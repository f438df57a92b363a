// How the programs end. The numbers are those of BSD's sysexits.h, so that a script or a service
// manager can tell a mistake (do not restart) from bad luck (try again).

#ifndef STARLING_PEER_RUNTIME_EXIT_CODES_H_
#define STARLING_PEER_RUNTIME_EXIT_CODES_H_

#include "absl/status/status.h"

namespace starling {

enum ExitCode : int {
  kExitOk = 0,
  kExitOther = 1,         // anything that no other code describes
  kExitUsage = 64,        // unknown flag, bad value, unknown command or algorithm
  kExitData = 65,         // a data file is truncated or corrupt
  kExitNoInput = 66,      // a data or configuration file is absent or unreadable
  kExitUnavailable = 69,  // port taken, daemon not reachable
  kExitInternal = 70,     // a defect of ours, or the training diverged
  kExitCantCreate = 73,   // the state directory cannot be written
  kExitTryAgain = 75,     // nobody answered in time, or the state directory is in use; the same may work later
  kExitSuperseded = 76,   // another process runs with this peer's id, and started later
  kExitConfig = 78,       // configuration refused: other model, other run, values out of range
};

// The exit code for an error that ends a program, by its canonical code:
// INVALID_ARGUMENT and OUT_OF_RANGE → 64, DATA_LOSS → 65, NOT_FOUND and PERMISSION_DENIED → 66,
// UNAVAILABLE → 69, INTERNAL → 70, DEADLINE_EXCEEDED → 75, ALREADY_EXISTS → 76,
// FAILED_PRECONDITION → 78, others → 1.
inline int ExitCodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange: return kExitUsage;
    case absl::StatusCode::kDataLoss: return kExitData;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied: return kExitNoInput;
    case absl::StatusCode::kUnavailable: return kExitUnavailable;
    case absl::StatusCode::kInternal: return kExitInternal;
    case absl::StatusCode::kDeadlineExceeded: return kExitTryAgain;
    case absl::StatusCode::kAlreadyExists: return kExitSuperseded;
    case absl::StatusCode::kFailedPrecondition: return kExitConfig;
    default: return kExitOther;
  }
}

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_EXIT_CODES_H_
