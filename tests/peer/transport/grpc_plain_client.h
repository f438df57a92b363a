// Any gRPC client, as transport tests use it: plain generated code, nothing of ours.

#ifndef STARLING_TESTS_PEER_TRANSPORT_GRPC_PLAIN_CLIENT_H_
#define STARLING_TESTS_PEER_TRANSPORT_GRPC_PLAIN_CLIENT_H_

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/peer.grpc.pb.h"
#include "tests/peer/transport/transport_test_util.h"

namespace starling {

// What any gRPC client in any language would send.
inline v1::ShardFrame Message(const Frame& frame) {
  Frame sealed = frame;
  SealFrame(sealed);
  v1::ShardFrame message;
  *message.mutable_header() = sealed.header;
  message.set_payload(sealed.payload.data(), sealed.payload.size());
  return message;
}

class TypedStream {
 public:
  explicit TypedStream(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    stub_ = v1::PeerService::NewStub(channel_);
    Reopen();
  }

  void Reopen() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    stream_ = stub_->Exchange(context_.get());
  }

  // Sends a frame and returns the header of the answer.
  v1::ShardHeader Ask(const v1::ShardFrame& message) {
    v1::ShardFrame answer;
    EXPECT_TRUE(stream_->Write(message));
    EXPECT_TRUE(stream_->Read(&answer));
    return answer.header();
  }

  grpc::Status Finish() {
    stream_->WritesDone();
    v1::ShardFrame ignored;
    while (stream_->Read(&ignored)) {
    }
    return stream_->Finish();
  }

  grpc::ClientReaderWriter<v1::ShardFrame, v1::ShardFrame>& stream() { return *stream_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::PeerService::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ShardFrame, v1::ShardFrame>> stream_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_TRANSPORT_GRPC_PLAIN_CLIENT_H_
