#include "peer/runtime/grpc_channel.h"

#include "grpc/grpc.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace starling {
namespace {

// gRPC 1.51 ends the threads that run its callbacks when the last channel that used them dies, and
// joins them right there. When that channel dies inside a callback, which nobody can rule out (the
// context of a finished call holds its channel), a thread joins itself and the process aborts. A
// channel that never dies keeps those threads alive; it has to have been used once, for a call that
// is cancelled before it starts.
void KeepCallbackThreads() {
  // Volatile, or the compiler drops a pointer that nothing but leak checkers read.
  static std::shared_ptr<grpc::Channel>* volatile kept = [] {
    struct Call {
      grpc::ClientContext context;
      const grpc::Slice nothing;
      const grpc::ByteBuffer request{&nothing, 1};
      grpc::ByteBuffer response;
    };
    auto* channel = new std::shared_ptr<grpc::Channel>(
        grpc::CreateChannel("unix:/dev/null", grpc::InsecureChannelCredentials()));
    auto* call = new Call;
    call->context.TryCancel();
    grpc::GenericStub(*channel).UnaryCall(&call->context, "/", {}, &call->request, &call->response,
                                          [call](const grpc::Status&) { delete call; });
    return channel;
  }();
  static_cast<void>(kept);
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           grpc::ChannelArguments arguments) {
  KeepCallbackThreads();
  // Equal channels would otherwise share one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // Despite its name also what one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

const std::vector<std::pair<std::string, int>>& BulkTuning() {
  static const auto& tuning = *new std::vector<std::pair<std::string, int>>{
      // A fixed window instead of one that has to grow: throughput <= window / round trip.
      {GRPC_ARG_HTTP2_BDP_PROBE, 0},
      {GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 << 20},
      // The largest that HTTP/2 allows; a frame of 16 KiB costs as much as one of 1 MiB.
      {GRPC_ARG_HTTP2_MAX_FRAME_SIZE, (16 << 20) - 1},
      {GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, 4 << 20},
      {GRPC_ARG_TCP_MIN_READ_CHUNK_SIZE, 256 << 10},
      {GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, 4 << 20},
  };
  return tuning;
}

std::shared_ptr<grpc::Channel> MakeControlChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  return MakeChannel(address, std::move(arguments));
}

std::shared_ptr<grpc::Channel> MakeDataChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  for (const auto& [name, value] : BulkTuning()) arguments.SetInt(name, value);
  arguments.SetMaxReceiveMessageSize(kMaxDataMessageBytes);
  // A ping waits behind what is already queued, so it may take long on a slow link.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
  return MakeChannel(address, std::move(arguments));
}

}  // namespace starling
