// One simulated process on a SimNetwork: the Transport that a Peer is given.
//
// Does what GrpcTransport does with frames: seals them when they are sent, inspects them when they
// arrive, answers those that fail with a refusal and reports them to the delegate. Destroyed, it is
// a process that died: what is underway to it vanishes, its callers get UNAVAILABLE, and whoever
// had sent it frames hears of a broken path.

#ifndef STARLING_TESTS_SIM_SIM_TRANSPORT_H_
#define STARLING_TESTS_SIM_SIM_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "peer/transport/transport.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_network.h"

namespace starling {

// A way from one process to an address, for as long as it is not forgotten.
struct SimPath {
  bool open = true;
  size_t frames = 0;  // underway
  size_t bytes = 0;
  bool hint_underway = false;
};

// What a frame underway takes of its path's limits.
class SimPathCredit {
 public:
  SimPathCredit(std::shared_ptr<SimPath> path, size_t bytes)
      : path_(std::move(path)), bytes_(bytes) {
    ++path_->frames;
    path_->bytes += bytes_;
  }
  SimPathCredit(const SimPathCredit&) = delete;
  SimPathCredit& operator=(const SimPathCredit&) = delete;
  ~SimPathCredit() {
    --path_->frames;
    path_->bytes -= bytes_;
  }

  bool open() const { return path_->open; }

 private:
  const std::shared_ptr<SimPath> path_;
  const size_t bytes_;
};

class SimTransport final : public Transport {
 public:
  ~SimTransport() override;

  void SetDelegate(Delegate* delegate) override { delegate_ = delegate; }
  absl::Status SendFrame(const std::string& address, Frame frame) override;
  void Call(const std::string& address, v1::ControlRequest request, absl::Duration timeout,
            CallCallback done) override;
  // Frames underway to `address` vanish.
  void Forget(const std::string& address) override;
  uint64_t bytes_sent() const override { return traffic_.payload_bytes; }
  uint64_t bytes_received() const override { return bytes_received_; }

  const std::string& address() const { return address_; }
  size_t calls_underway() const { return calls_.size(); }
  // Sent so far; payloads that nobody carried included.
  const SimTraffic& traffic() const { return traffic_; }

 private:
  friend class SimNetwork;
  class BackPath;
  class Answer;

  struct PendingCall {
    CallCallback done;
    TimerId timer = 0;
  };

  SimTransport(SimNetwork* network, uint64_t id, std::string address, SimExecutor* control,
               const SimNetwork::Identity& identity);

  const std::shared_ptr<SimPath>& PathTo(const std::string& address);
  absl::Status Send(const std::string& address, uint64_t only, Frame frame);
  void Receive(Frame frame, const std::string& from, uint64_t from_id);
  void ReceiveCall(v1::ControlRequest request, uint64_t caller, uint64_t call);
  void FinishCall(uint64_t call, absl::StatusOr<v1::ControlResponse> result);
  // Soon tells the delegate that the path broke.
  void HintBroken(const std::string& address);

  SimNetwork* const network_;
  const uint64_t id_;
  const std::string address_;
  SimExecutor* const control_;
  const SimNetwork::Identity identity_;
  Delegate* delegate_ = nullptr;
  std::map<std::string, std::shared_ptr<SimPath>> paths_;
  std::map<uint64_t, PendingCall> calls_;
  uint64_t next_call_ = 1;
  SimTraffic traffic_;
  uint64_t bytes_received_ = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIM_TRANSPORT_H_
