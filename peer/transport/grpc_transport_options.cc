#include "peer/transport/grpc_transport_options.h"

#include "absl/strings/str_cat.h"
#include "peer/transport/frame.h"

namespace starling {
namespace {

absl::Status AtLeast(absl::string_view field, size_t value, size_t least) {
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, ", must be at least ", least));
}

}  // namespace

absl::Status GrpcTransportOptions::Validate() const {
  // Room for one frame of any size, or some could never pass.
  constexpr size_t kLargestFrame = kMaxPayloadBytes + 2 * kMaxHeaderBytes;
  absl::Status status = AtLeast("max_queued_bytes", max_queued_bytes, kLargestFrame);
  status.Update(AtLeast("max_undelivered_bytes", max_undelivered_bytes, 1));
  status.Update(AtLeast("max_waiting_calls", max_waiting_calls, 1));
  if (idle_timeout <= absl::ZeroDuration()) {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "idle_timeout is ", absl::FormatDuration(idle_timeout), ", must be positive")));
  }
  return status;
}

}  // namespace starling
