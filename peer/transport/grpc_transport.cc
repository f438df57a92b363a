#include "peer/transport/grpc_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "peer/runtime/check.h"
#include "peer/runtime/grpc_channel.h"
#include "peer/runtime/grpc_status.h"
#include "peer/transport/grpc_outgoing_stream.h"
#include "peer/transport/grpc_peer_service.h"
#include "peer/transport/grpc_stream_shared.h"
#include "proto/peer.grpc.pb.h"

namespace starling {
namespace {

// Sweeps without traffic after which a stream is closed, and after which the connections are.
constexpr int kSweepsUntilStreamIsIdle = 2;
constexpr int kSweepsUntilPathIsIdle = 20;

// On the monotonic clock: a jump of the wall clock must not end a call.
gpr_timespec DeadlineAfter(absl::Duration timeout) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN));
}

absl::Status WithAddress(const std::string& address, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(address, ": ", status.message()));
}

}  // namespace

struct GrpcTransport::Path {
  // Made when first needed.
  std::shared_ptr<grpc::Channel> data;
  std::unique_ptr<v1::PeerService::Stub> control;
  std::shared_ptr<GrpcOutgoingStream> stream;
  uint64_t stream_id = 0;

  bool used = false;      // since the last sweep
  uint64_t activity = 0;  // of the stream, at the last sweep
  int idle_sweeps = 0;
};

struct GrpcTransport::PendingCall {
  grpc::ClientContext context;
  v1::ControlRequest request;
  v1::ControlResponse response;
  CallCallback done;
};

GrpcTransport::GrpcTransport(Executor* control, const GrpcTransportOptions& options)
    : shared_(std::make_shared<GrpcStreamShared>(control, options)),
      service_(std::make_unique<GrpcPeerService>(shared_)) {
  STARLING_CHECK(options.Validate().ok());
  shared_->transport = this;
  ScheduleSweep();
}

GrpcTransport::~GrpcTransport() {
  shared_->transport = nullptr;
  shared_->delegate = nullptr;
  shared_->control->Cancel(sweep_timer_);
  for (const auto& [id, stream] : streams_) {
    if (auto open = stream.lock()) open->End(absl::CancelledError("shut down"));
  }
  for (const auto& [id, call] : calls_) call->context.TryCancel();
  paths_.clear();
  shared_->AwaitAllFinished();
}

grpc::Service* GrpcTransport::service() { return service_.get(); }

void GrpcTransport::SetIdentity(uint64_t sender, uint64_t incarnation, uint64_t run_id) {
  shared_->SetIdentity(sender, incarnation, run_id);
}

void GrpcTransport::SetDelegate(Delegate* delegate) {
  STARLING_CHECK(shared_->control->RunsHere());
  shared_->delegate = delegate;
  service_->SetAccepting(delegate != nullptr);
}

GrpcTransport::Path& GrpcTransport::PathTo(const std::string& address) {
  STARLING_CHECK(shared_->control->RunsHere());
  std::unique_ptr<Path>& path = paths_[address];
  if (path == nullptr) path = std::make_unique<Path>();
  path->used = true;
  return *path;
}

absl::Status GrpcTransport::SendFrame(const std::string& address, Frame frame) {
  Path& path = PathTo(address);
  // A stream that ended a moment ago is still here; the frame then goes on a new one.
  if (path.stream == nullptr || path.stream->finished()) OpenStream(address, path);
  const absl::Status status = path.stream->Send(std::move(frame));
  // Ended just now: the frame is lost on the way like those before it, and OnPathBroken follows.
  if (absl::IsUnavailable(status)) return absl::OkStatus();
  return WithAddress(address, status);
}

void GrpcTransport::OpenStream(const std::string& address, Path& path) {
  if (path.data == nullptr) path.data = MakeDataChannel(address);
  path.stream_id = next_id_++;
  path.stream = GrpcOutgoingStream::Open(
      path.data, address, shared_,
      [shared = shared_, address, id = path.stream_id](absl::Status status) {
        shared->control->Post([shared, address, id, status = std::move(status)] {
          if (shared->transport != nullptr) shared->transport->OnStreamDone(address, id, status);
        });
      });
  streams_[path.stream_id] = path.stream;
}

void GrpcTransport::OnStreamDone(const std::string& address, uint64_t stream,
                                 const absl::Status& status) {
  auto path = paths_.find(address);
  if (path != paths_.end() && path->second->stream_id == stream) path->second->stream = nullptr;
  const bool forgotten = streams_.erase(stream) == 0;
  if (forgotten || status.ok() || shared_->delegate == nullptr) return;
  shared_->delegate->OnPathBroken(address, WithAddress(address, status));
}

void GrpcTransport::Call(const std::string& address, v1::ControlRequest request,
                         absl::Duration timeout, CallCallback done) {
  Path& path = PathTo(address);
  if (path.control == nullptr) path.control = v1::PeerService::NewStub(MakeControlChannel(address));
  auto call = std::make_shared<PendingCall>();
  call->context.set_deadline(DeadlineAfter(timeout));
  call->request = std::move(request);
  call->done = std::move(done);
  const uint64_t id = next_id_++;
  calls_[id] = call;
  shared_->Began();
  PendingCall& started = *call;
  path.control->async()->Control(
      &started.context, &started.request, &started.response,
      [shared = shared_, address, id, call = std::move(call)](const grpc::Status& result) mutable {
        shared->control->Post([shared, address, id, call = std::move(call),
                               status = FromGrpcStatus(result)]() mutable {
          if (shared->transport != nullptr) shared->transport->calls_.erase(id);
          if (status.ok()) {
            call->done(std::move(call->response));
          } else {
            call->done(WithAddress(address, status));
          }
        });
        shared->Finished();
      });
}

void GrpcTransport::Forget(const std::string& address) {
  STARLING_CHECK(shared_->control->RunsHere());
  auto path = paths_.find(address);
  if (path == paths_.end()) return;
  if (auto stream = std::move(path->second->stream)) {
    streams_.erase(path->second->stream_id);
    stream->End(absl::CancelledError("forgotten"));
  }
  paths_.erase(path);
}

void GrpcTransport::ScheduleSweep() {
  sweep_timer_ = shared_->control->ScheduleAt(
      shared_->control->Now() + shared_->options.idle_timeout / 2, [shared = shared_] {
        if (shared->transport != nullptr) shared->transport->Sweep();
      });
}

void GrpcTransport::Sweep() {
  for (const auto& closing : closing_) {
    if (auto stream = closing.lock()) stream->End(absl::CancelledError("idle"));
  }
  closing_.clear();
  for (auto entry = paths_.begin(); entry != paths_.end();) {
    Path& path = *entry->second;
    bool busy = false;
    const uint64_t activity = path.stream == nullptr ? 0 : path.stream->Activity(&busy);
    const bool idle = !busy && !std::exchange(path.used, false) && activity == path.activity;
    path.activity = activity;
    path.idle_sweeps = idle ? path.idle_sweeps + 1 : 0;
    if (path.idle_sweeps >= kSweepsUntilStreamIsIdle && path.stream != nullptr) {
      path.stream->Close();
      closing_.push_back(std::move(path.stream));
      path.stream = nullptr;
      path.activity = 0;
    }
    entry = path.idle_sweeps >= kSweepsUntilPathIsIdle ? paths_.erase(entry) : std::next(entry);
  }
  ScheduleSweep();
}

void GrpcTransport::MakeRoomFor(size_t bytes) {
  shared_->max_queued_bytes = std::max(shared_->options.max_queued_bytes, bytes);
}

uint64_t GrpcTransport::bytes_sent() const { return shared_->bytes_sent.load(); }
uint64_t GrpcTransport::bytes_received() const { return shared_->bytes_received.load(); }
uint64_t GrpcTransport::bytes_copied() const { return shared_->bytes_copied.load(); }
uint64_t GrpcTransport::frames_dropped() const { return shared_->frames_dropped.load(); }
size_t GrpcTransport::incoming_streams() const { return service_->streams(); }

}  // namespace starling
