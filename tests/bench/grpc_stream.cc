#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "peer/runtime/check.h"
#include "peer/runtime/grpc_channel.h"
#include "tests/bench/raw_streams.h"

namespace starling {
namespace {

constexpr size_t kMessage = size_t{1} << 20;

class GrpcSink final : public StreamSink, public grpc::CallbackGenericService {
 public:
  explicit GrpcSink(size_t bytes) : buffer_(bytes) {
    grpc::ServerBuilder builder;
    for (const auto& [name, value] : BulkTuning()) builder.AddChannelArgument(name, value);
    builder.SetMaxReceiveMessageSize(kMaxDataMessageBytes);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    STARLING_CHECK(server_ != nullptr);
  }
  ~GrpcSink() override { server_->Shutdown(std::chrono::system_clock::now()); }
  std::string address() const override { return absl::StrCat("127.0.0.1:", port_); }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(std::vector<char>* buffer) : buffer_(buffer) { StartRead(&incoming_); }

   private:
    void OnReadDone(bool ok) override {
      if (!ok) {
        Finish(grpc::Status::OK);
        return;
      }
      std::vector<grpc::Slice> slices;
      incoming_.Dump(&slices);
      for (const grpc::Slice& slice : slices) {
        const size_t size = std::min(slice.size(), buffer_->size() - received_);
        std::memcpy(buffer_->data() + received_, slice.begin(), size);
        received_ += size;
      }
      incoming_.Clear();
      if (received_ == buffer_->size()) {
        received_ = 0;
        const grpc::Slice byte("!");
        answer_ = grpc::ByteBuffer(&byte, 1);
        StartWrite(&answer_);
      }
      StartRead(&incoming_);
    }
    void OnDone() override { delete this; }

    std::vector<char>* const buffer_;
    size_t received_ = 0;
    grpc::ByteBuffer incoming_;
    grpc::ByteBuffer answer_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Reactor(&buffer_);
  }

  std::vector<char> buffer_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class GrpcSource final : public StreamSource,
                         public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  GrpcSource(const std::string& address, size_t bytes)
      : buffer_(bytes, 'x'), stub_(MakeDataChannel(address)) {
    stub_.PrepareBidiStreamingCall(&context_, "/raw", {}, this);
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }
  ~GrpcSource() override {
    context_.TryCancel();
    RemoveHold();
    ended_.WaitForNotification();
  }

  absl::StatusOr<absl::Duration> Send() override {
    absl::Notification answered;
    answered_ = &answered;
    sent_ = 0;
    const absl::Time begin = absl::Now();
    Next();
    answered.WaitForNotification();
    return absl::Now() - begin;
  }

 private:
  void Next() {
    const size_t size = std::min(kMessage, buffer_.size() - sent_);
    const grpc::Slice slice(buffer_.data() + sent_, size, grpc::Slice::STATIC_SLICE);
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    sent_ += size;
    StartWrite(&outgoing_);
  }
  void OnWriteDone(bool ok) override {
    if (ok && sent_ < buffer_.size()) Next();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    absl::Notification* const answered = answered_;
    StartRead(&incoming_);
    answered->Notify();
  }
  void OnDone(const grpc::Status&) override { ended_.Notify(); }

  const std::vector<char> buffer_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  size_t sent_ = 0;
  absl::Notification* answered_ = nullptr;
  absl::Notification ended_;
  grpc::ByteBuffer outgoing_;
  grpc::ByteBuffer incoming_;
};

}  // namespace

std::unique_ptr<StreamSink> StartGrpcSink(size_t bytes) {
  return std::make_unique<GrpcSink>(bytes);
}

std::unique_ptr<StreamSource> ConnectGrpc(const std::string& address, size_t bytes) {
  return std::make_unique<GrpcSource>(address, bytes);
}

}  // namespace starling
