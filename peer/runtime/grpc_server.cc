#include "peer/runtime/grpc_server.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpc/grpc.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "peer/runtime/asio_listener.h"
#include "peer/runtime/grpc_channel.h"
#include "peer/runtime/grpc_health.h"

namespace starling {
namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

void SetLimits(grpc::ServerBuilder& builder) {
  for (const auto& [name, value] : BulkTuning()) builder.AddChannelArgument(name, value);
  builder.SetMaxReceiveMessageSize(kMaxDataMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 64);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // One connection may be either kind, so its timeout is that of data, whose pings wait longer.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  // Only reflection needs threads of its own; everything else of ours is callbacks.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
}

class Server final : public GrpcServer {
 public:
  ~Server() override { Shutdown(absl::ZeroDuration()); }

  absl::Status Start(const Options& options, const std::vector<grpc::Service*>& services) {
    static std::once_flag once;
    std::call_once(once, [] {
      grpc::EnableDefaultHealthCheckService(false);
      grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    });
    RaiseFileLimit();

    // The port first: that it is taken is the one error that people make.
    absl::StatusOr<std::unique_ptr<AsioListener>> listener = AsioListener::Listen(
        options.listen, options.max_connections, [this](int fd) { Accept(fd); });
    if (!listener.ok()) return listener.status();

    grpc::ServerBuilder builder;
    SetLimits(builder);
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    builder.RegisterService(&health_);
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    {
      absl::MutexLock lock(&mutex_);
      built_ = true;
    }
    if (server_ == nullptr) return absl::InternalError("gRPC refused to start; its log says why");
    address_ = (*listener)->address();
    listener_ = *std::move(listener);
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

  void SetServing(absl::string_view service, bool serving) override {
    health_.SetServing(std::string(service), serving);
  }

  void Shutdown(absl::Duration grace) override {
    absl::MutexLock shutting_down(&shutdown_);
    listener_.reset();
    health_.Shutdown();
    if (server_ == nullptr) return;
    const absl::Duration bounded = std::max(grace, absl::ZeroDuration());
    server_->Shutdown(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_nanos(absl::ToInt64Nanoseconds(bounded), GPR_TIMESPAN)));
    server_.reset();
  }

 private:
  // On the listener's thread. A client that comes before gRPC is ready waits for it here.
  void Accept(int fd) {
    mutex_.LockWhen(absl::Condition(&built_));
    mutex_.Unlock();
    Acceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor_->HandleNewConnection(&connection);
  }

  GrpcHealth health_;
  std::string address_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  absl::Mutex mutex_;
  bool built_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex shutdown_;
  std::unique_ptr<AsioListener> listener_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const Options& options, const std::vector<grpc::Service*>& services) {
  auto server = std::make_unique<Server>();
  if (absl::Status status = server->Start(options, services); !status.ok()) return status;
  return server;
}

}  // namespace starling
