// Asks one daemon's StatusService, with a bound on every call. Calls block; any thread may make
// them, several at a time.

#ifndef STARLING_PEER_CLI_GRPC_STATUS_CLIENT_H_
#define STARLING_PEER_CLI_GRPC_STATUS_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/status.pb.h"

namespace starling {

// Every method returns, besides what the daemon itself says:
//   UNAVAILABLE: no daemon answers at the endpoint; the message says why.
//   DEADLINE_EXCEEDED: somebody is there, but did not answer within `timeout`.
//   CANCELLED: `give_up` returned true; it is asked every 50 ms.
// Messages are one line, name the endpoint and hold no control characters.
class StatusClient {
 public:
  using GiveUp = std::function<bool()>;

  // INVALID_ARGUMENT: not host:port with a port from 1 to 65535.
  static absl::StatusOr<std::unique_ptr<StatusClient>> Create(absl::string_view endpoint);
  ~StatusClient();

  const std::string& endpoint() const;

  absl::StatusOr<v1::Status> GetStatus(absl::Duration timeout, const GiveUp& give_up = nullptr);
  absl::StatusOr<v1::ListPeersResponse> ListPeers(absl::Duration timeout,
                                                  const GiveUp& give_up = nullptr);
  absl::Status Leave(const std::string& reason, absl::Duration timeout,
                     const GiveUp& give_up = nullptr);
  // All limits as they are then.
  absl::StatusOr<v1::LinkLimits> SetLimits(const v1::LinkLimits& limits, absl::Duration timeout,
                                           const GiveUp& give_up = nullptr);
  absl::StatusOr<v1::EvaluateAverageResponse> EvaluateAverage(absl::Duration timeout,
                                                              const GiveUp& give_up = nullptr);

 private:
  struct Impl;
  explicit StatusClient(std::unique_ptr<Impl> impl);

  // Asks all at the same time, so that a silent daemon costs one timeout, not one each. Entry i is
  // the answer of clients[i]; a null client yields UNAVAILABLE.
  friend std::vector<absl::StatusOr<v1::Status>> GetStatuses(
      const std::vector<StatusClient*>& clients, absl::Duration timeout);

  std::unique_ptr<Impl> impl_;
};

std::vector<absl::StatusOr<v1::Status>> GetStatuses(const std::vector<StatusClient*>& clients,
                                                    absl::Duration timeout);

}  // namespace starling

#endif  // STARLING_PEER_CLI_GRPC_STATUS_CLIENT_H_
