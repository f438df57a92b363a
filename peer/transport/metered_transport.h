// A Transport that charges a LinkBudget with every payload that passes, whatever it is for, and otherwise is
// the one behind it. It holds nothing up: whoever asks the budget before it sends keeps within it.
//
// What is sent is charged when it is handed over, which is sooner than it leaves: what waits in a queue is
// spent. Of what is received only frames that pass the transport's checks are charged, to the peer that they
// name as their sender.
//
// Executor: control, as every Transport. The delegate is told as if there were no meter.

#ifndef STARLING_PEER_TRANSPORT_METERED_TRANSPORT_H_
#define STARLING_PEER_TRANSPORT_METERED_TRANSPORT_H_

#include <functional>
#include <memory>
#include <string>

#include "peer/runtime/executor.h"
#include "peer/runtime/ids.h"
#include "peer/transport/link_budget.h"
#include "peer/transport/transport.h"

namespace starling {

class MeteredTransport final : public Transport, private Transport::Delegate {
 public:
  // `peer_at` tells who lives at an address; empty: not known. What is behind outlives the meter.
  MeteredTransport(Executor* control, Transport* behind, std::shared_ptr<LinkBudget> budget,
                   std::function<PeerId(const std::string&)> peer_at);

  void SetDelegate(Transport::Delegate* delegate) override;
  absl::Status SendFrame(const std::string& address, Frame frame) override;
  void Call(const std::string& address, v1::ControlRequest request, absl::Duration timeout,
            CallCallback done) override;
  void Forget(const std::string& address) override;
  uint64_t bytes_sent() const override;
  uint64_t bytes_received() const override;

 private:
  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override;
  void OnFrameRefused(const v1::ShardHeader& header, v1::RefusalReason reason) override;
  void OnControl(v1::ControlRequest request, ControlResponder respond) override;
  void OnPathBroken(const std::string& address, const absl::Status& status) override;

  Executor* const control_;
  Transport* const behind_;
  const std::shared_ptr<LinkBudget> budget_;
  const std::function<PeerId(const std::string&)> peer_at_;
  Transport::Delegate* delegate_ = nullptr;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_METERED_TRANSPORT_H_
