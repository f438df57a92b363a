#include "tests/sim/sim_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"

namespace starling {

// The way back to one process; its successor at the same address is somebody else.
class SimTransport::BackPath final : public ReplyPath {
 public:
  BackPath(SimNetwork* network, uint64_t own, std::string address, uint64_t other)
      : network_(network), own_(own), address_(std::move(address)), other_(other) {}

  void Send(Frame frame) override {
    SimTransport* const own = network_->Find(own_);
    if (own != nullptr) own->Send(address_, other_, std::move(frame)).IgnoreError();
  }

 private:
  SimNetwork* const network_;
  const uint64_t own_;
  const std::string address_;
  const uint64_t other_;
};

// What a responder owes its caller. Destroyed without an answer, as when the responder dies, it
// fails the call.
class SimTransport::Answer {
 public:
  Answer(SimNetwork* network, const SimTransport& from, uint64_t caller, uint64_t call)
      : network_(network),
        own_(from.id_),
        from_(from.address_),
        caller_(caller),
        call_(call) {}
  ~Answer() {
    if (!given_) Give(absl::UnavailableError(absl::StrCat(from_, " dropped the call")));
  }

  void Give(absl::StatusOr<v1::ControlResponse> result) {
    STARLING_CHECK(!given_);
    given_ = true;
    if (SimTransport* const own = network_->Find(own_); own != nullptr && result.ok()) {
      ++own->traffic_.calls;
      own->traffic_.call_bytes += result->ByteSizeLong();
    }
    SimTransport* const caller = network_->Find(caller_);
    if (caller == nullptr) return;
    const absl::optional<absl::Duration> delay = network_->Passage(from_, caller->address_);
    if (!delay) return;
    caller->control_->ArriveAt(
        network_->world_->now() + *delay,
        [network = network_, from = from_, id = caller_, call = call_,
         result = std::move(result)]() mutable {
          SimTransport* const transport = network->Find(id);
          if (transport == nullptr || network->IsCut(from, transport->address_)) return;
          transport->FinishCall(call, std::move(result));
        });
  }

 private:
  SimNetwork* const network_;
  const uint64_t own_;
  const std::string from_;
  const uint64_t caller_;
  const uint64_t call_;
  bool given_ = false;
};

SimTransport::SimTransport(SimNetwork* network, uint64_t id, std::string address,
                           SimExecutor* control, const SimNetwork::Identity& identity)
    : network_(network),
      id_(id),
      address_(std::move(address)),
      control_(control),
      identity_(identity) {}

SimTransport::~SimTransport() {
  network_->Remove(this);
  for (auto& [id, call] : calls_) {
    control_->Cancel(call.timer);
    control_->Post([done = std::move(call.done)]() mutable {
      done(absl::CancelledError("the transport is shut down"));
    });
  }
}

void SimTransport::Forget(const std::string& address) {
  const auto path = paths_.find(address);
  if (path == paths_.end()) return;
  path->second->open = false;
  paths_.erase(path);
}

const std::shared_ptr<SimPath>& SimTransport::PathTo(const std::string& address) {
  std::shared_ptr<SimPath>& path = paths_[address];
  if (path == nullptr) path = std::make_shared<SimPath>();
  return path;
}

absl::Status SimTransport::SendFrame(const std::string& address, Frame frame) {
  return Send(address, 0, std::move(frame));
}

absl::Status SimTransport::Send(const std::string& address, uint64_t only, Frame frame) {
  STARLING_CHECK(control_->RunsHere());
  const std::shared_ptr<SimPath> path = PathTo(address);
  const size_t size = frame.payload.size();
  if (path->frames >= network_->options().path_frames ||
      path->bytes + size > network_->options().path_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(path->frames, " frames with ", path->bytes,
                                                     " bytes are underway to ", address));
  }
  const auto credit = std::make_shared<const SimPathCredit>(path, size);
  network_->peak_path_frames_ = std::max(network_->peak_path_frames_, path->frames);
  SealFrame(frame);
  ++traffic_.frames;
  traffic_.payload_bytes += size;
  traffic_.frame_bytes += size + frame.header.ByteSizeLong();
  if (!network_->Carry(*this, address, only, std::move(frame), credit) && only == 0) {
    HintBroken(address);
  }
  return absl::OkStatus();
}

void SimTransport::HintBroken(const std::string& address) {
  const std::shared_ptr<SimPath> path = PathTo(address);
  if (path->hint_underway) return;
  path->hint_underway = true;
  control_->ArriveAt(network_->world_->now() + network_->options().unreachable_after,
                       [network = network_, id = id_, address, path] {
                         path->hint_underway = false;
                         SimTransport* const self = network->Find(id);
                         if (self == nullptr || self->delegate_ == nullptr) return;
                         self->delegate_->OnPathBroken(
                             address, absl::UnavailableError(absl::StrCat(address, " is gone")));
                       });
}

void SimTransport::Receive(Frame frame, const std::string& from, uint64_t from_id) {
  bytes_received_ += frame.payload.size();
  const auto way_back = std::make_shared<BackPath>(network_, id_, from, from_id);
  absl::optional<FrameFault> fault = InspectFrame(frame);
  if (fault) {
    ++network_->counters_.refused;
    if (delegate_ != nullptr) delegate_->OnFrameRefused(frame.header, fault->reason);
  } else if (delegate_ == nullptr) {
    fault = FrameFault{v1::REFUSAL_REASON_NOT_TRAINING, "this peer is starting or leaving"};
  }
  if (!fault) {
    delegate_->OnFrame(std::move(frame), way_back);
    return;
  }
  if (frame.header.kind() == v1::FRAME_KIND_REFUSAL) return;
  Frame refusal = MakeRefusal(frame.header, fault->reason, std::move(fault->detail));
  refusal.header.set_sender(identity_.peer.value());
  refusal.header.set_sender_incarnation(identity_.incarnation);
  refusal.header.set_run_id(identity_.run.value());
  way_back->Send(std::move(refusal));
}

void SimTransport::Call(const std::string& address, v1::ControlRequest request,
                        absl::Duration timeout, CallCallback done) {
  STARLING_CHECK(control_->RunsHere());
  ++traffic_.calls;
  traffic_.call_bytes += request.ByteSizeLong();
  const uint64_t call = next_call_++;
  const absl::Time now = network_->world_->now();
  auto finish = [network = network_, id = id_, call](absl::Status status) {
    return [network, id, call, status = std::move(status)] {
      SimTransport* const self = network->Find(id);
      if (self != nullptr) self->FinishCall(call, status);
    };
  };
  const TimerId timer = control_->ScheduleAt(
      control_->Now() + timeout, finish(absl::DeadlineExceededError(absl::StrCat(
                         address, " did not answer within ", absl::FormatDuration(timeout)))));
  calls_[call] = PendingCall{std::move(done), timer};

  SimTransport* const to = network_->ListenerAt(address);
  if (to == nullptr) {
    control_->ArriveAt(
        now + network_->options().unreachable_after,
        finish(absl::UnavailableError(absl::StrCat("nobody listens at ", address))));
    return;
  }
  const absl::optional<absl::Duration> delay = network_->Passage(address_, address);
  if (!delay) return;
  auto answer = std::make_unique<Answer>(network_, *to, id_, call);
  to->control_->ArriveAt(
      now + *delay, [network = network_, from = address_, to_id = to->id_,
                     request = std::move(request), answer = std::move(answer)]() mutable {
        SimTransport* const responder = network->Find(to_id);
        if (responder == nullptr || network->IsCut(from, responder->address_)) return;
        if (responder->delegate_ == nullptr) {
          answer->Give(absl::UnavailableError(responder->address_ + " is starting or leaving"));
          return;
        }
        responder->delegate_->OnControl(
            std::move(request), [answer = std::move(answer)](v1::ControlResponse response) {
              answer->Give(std::move(response));
            });
      });
}

void SimTransport::FinishCall(uint64_t call, absl::StatusOr<v1::ControlResponse> result) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  PendingCall pending = std::move(found->second);
  calls_.erase(found);
  control_->Cancel(pending.timer);
  pending.done(std::move(result));
}

}  // namespace starling
