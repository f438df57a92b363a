// The write side of a server stream, driven from an executor: gRPC's threads only post.
//
// Life: Open() on gRPC's thread returns the reactor for the generated method; everything else
// happens on the executor. One write is underway at a time; `writable` is called after each. The
// stream ends when Close is called or the client is gone, then `gone` is called once and nothing
// else afterwards. The object lives until both gRPC and its holders have let go of it.
//
// The executor must run until the server has shut down, or Shutdown waits for ever.

#ifndef STARLING_PEER_RUNTIME_GRPC_SERVER_STREAM_H_
#define STARLING_PEER_RUNTIME_GRPC_SERVER_STREAM_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/support/server_callback.h"
#include "peer/runtime/check.h"
#include "peer/runtime/executor.h"

namespace starling {

template <typename Message>
class GrpcServerStream final : public grpc::ServerWriteReactor<Message> {
 public:
  static std::shared_ptr<GrpcServerStream> Open(Executor* executor) {
    std::shared_ptr<GrpcServerStream> stream(new GrpcServerStream(executor));
    stream->self_ = stream;
    return stream;
  }

  // Executor; in the task of the first Write at the latest. If the client is gone already, `gone`
  // is called here.
  void SetCallbacks(std::function<void()> writable, std::function<void()> gone) {
    writable_ = std::move(writable);
    gone_ = std::move(gone);
    if (done_) TellGone();
  }

  // Executor. True if Write may be called.
  bool CanWrite() const { return !writing_ && !closing_; }
  void Write(Message message) {
    STARLING_CHECK(CanWrite());
    message_ = std::move(message);
    writing_ = true;
    this->StartWrite(&message_);
  }

  // Executor, or Open's thread instead of everything else. Ends the stream after the write that is
  // underway. Only the first call counts.
  void Close(const grpc::Status& status) {
    if (closing_) return;
    closing_ = true;
    status_ = status;
    if (!writing_) this->Finish(status_);
  }

 private:
  explicit GrpcServerStream(Executor* executor) : executor_(executor) {}

  void OnWriteDone(bool ok) override {
    executor_->Post([self = self_, ok] { self->WriteDone(ok); });
  }
  void OnCancel() override {
    executor_->Post([self = self_] { self->Close(grpc::Status::CANCELLED); });
  }
  void OnDone() override {
    executor_->Post([self = std::move(self_)] {
      self->done_ = true;
      self->TellGone();
    });
  }

  void WriteDone(bool ok) {
    writing_ = false;
    if (closing_) {
      this->Finish(status_);
    } else if (!ok) {
      Close(grpc::Status::CANCELLED);
    } else if (writable_) {
      writable_();
    }
  }
  void TellGone() {
    writable_ = nullptr;
    if (auto gone = std::exchange(gone_, nullptr)) gone();
  }

  Executor* const executor_;
  std::shared_ptr<GrpcServerStream> self_;  // gRPC's share of the ownership
  // On the executor:
  Message message_;
  grpc::Status status_;
  bool writing_ = false;
  bool closing_ = false;
  bool done_ = false;
  std::function<void()> writable_;
  std::function<void()> gone_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_GRPC_SERVER_STREAM_H_
