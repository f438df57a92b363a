#include "peer/transport/metered_transport.h"

#include <utility>

namespace starling {
namespace {

// May outlive the meter, but not what it charges.
class MeteredReplyPath : public ReplyPath {
 public:
  MeteredReplyPath(std::shared_ptr<ReplyPath> behind, Executor* control,
                   std::shared_ptr<LinkBudget> budget, PeerId peer)
      : behind_(std::move(behind)), control_(control), budget_(std::move(budget)), peer_(peer) {}

  void Send(Frame frame) override {
    budget_->Charge(control_->Now(), Direction::kSend, peer_, frame.payload.size());
    behind_->Send(std::move(frame));
  }

 private:
  const std::shared_ptr<ReplyPath> behind_;
  Executor* const control_;
  const std::shared_ptr<LinkBudget> budget_;
  const PeerId peer_;
};

}  // namespace

MeteredTransport::MeteredTransport(Executor* control, Transport* behind,
                                   std::shared_ptr<LinkBudget> budget,
                                   std::function<PeerId(const std::string&)> peer_at)
    : control_(control),
      behind_(behind),
      budget_(std::move(budget)),
      peer_at_(std::move(peer_at)) {}

void MeteredTransport::SetDelegate(Transport::Delegate* delegate) {
  delegate_ = delegate;
  behind_->SetDelegate(delegate == nullptr ? nullptr : this);
}

absl::Status MeteredTransport::SendFrame(const std::string& address, Frame frame) {
  const size_t bytes = frame.payload.size();
  const absl::Status status = behind_->SendFrame(address, std::move(frame));
  if (status.ok() && bytes > 0) {
    budget_->Charge(control_->Now(), Direction::kSend, peer_at_(address), bytes);
  }
  return status;
}

void MeteredTransport::Call(const std::string& address, v1::ControlRequest request,
                            absl::Duration timeout, CallCallback done) {
  behind_->Call(address, std::move(request), timeout, std::move(done));
}

void MeteredTransport::Forget(const std::string& address) { behind_->Forget(address); }

uint64_t MeteredTransport::bytes_sent() const { return behind_->bytes_sent(); }
uint64_t MeteredTransport::bytes_received() const { return behind_->bytes_received(); }

void MeteredTransport::OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) {
  const PeerId sender(frame.header.sender());
  budget_->Charge(control_->Now(), Direction::kReceive, sender, frame.payload.size());
  if (reply != nullptr) {
    reply = std::make_shared<MeteredReplyPath>(std::move(reply), control_, budget_, sender);
  }
  delegate_->OnFrame(std::move(frame), std::move(reply));
}

void MeteredTransport::OnFrameRefused(const v1::ShardHeader& header, v1::RefusalReason reason) {
  delegate_->OnFrameRefused(header, reason);
}

void MeteredTransport::OnControl(v1::ControlRequest request, ControlResponder respond) {
  delegate_->OnControl(std::move(request), std::move(respond));
}

void MeteredTransport::OnPathBroken(const std::string& address, const absl::Status& status) {
  delegate_->OnPathBroken(address, status);
}

}  // namespace starling
