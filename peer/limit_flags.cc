#include "peer/limit_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "peer/transport/limit_text.h"

ABSL_FLAG(std::string, limit_send, "0",
          "most bytes of parameters a second that this peer sends, such as 500kB or 20Mbit; 0: no limit. "
          "Exchanges keep within it by travelling coarser (bf16, then int8 and 4 bits for replies), and "
          "where that is not enough by being fewer; what rounds and newcomers take is counted, not held "
          "up. To be changed while it runs: starling limit");
ABSL_FLAG(std::string, limit_receive, "0", "the same for what this peer receives");
ABSL_FLAG(std::string, limit_send_per_peer, "0", "the same for what it sends to any one peer");
ABSL_FLAG(std::string, limit_receive_per_peer, "0",
          "the same for what it receives from any one peer");
ABSL_FLAG(std::string, limit_send_per_day, "0",
          "most bytes that this peer sends in any 24 hours, such as 2GB: an eighth of them as needed, the "
          "rest spread evenly; 0: no limit. A restart begins a new day");
ABSL_FLAG(std::string, limit_receive_per_day, "0", "the same for what this peer receives");

namespace starling {

absl::StatusOr<v1::LinkLimits> LimitsFromFlags() {
  return ParseLimits("--limit_", {.send = absl::GetFlag(FLAGS_limit_send),
                                  .receive = absl::GetFlag(FLAGS_limit_receive),
                                  .send_per_peer = absl::GetFlag(FLAGS_limit_send_per_peer),
                                  .receive_per_peer = absl::GetFlag(FLAGS_limit_receive_per_peer),
                                  .send_per_day = absl::GetFlag(FLAGS_limit_send_per_day),
                                  .receive_per_day = absl::GetFlag(FLAGS_limit_receive_per_day)});
}

}  // namespace starling
