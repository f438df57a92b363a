// A StatusService that answers from a table, in this process, on a port of its own.

#ifndef STARLING_TESTS_PEER_CLI_GRPC_FAKE_STATUS_SERVICE_H_
#define STARLING_TESTS_PEER_CLI_GRPC_FAKE_STATUS_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/status.grpc.pb.h"

namespace starling {

class FakeStatusService final : public v1::StatusService::Service {
 public:
  FakeStatusService() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeStatusService() override {
    if (leaving_.joinable()) leaving_.join();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  const std::string& address() const { return address_; }

  // Set before the call that should see it.
  v1::Status status;
  grpc::Status evaluation_error;
  v1::EvaluateAverageResponse evaluation;
  bool leaves = true;
  std::string leave_reason;
  // Sets gossip.budget.limits of `status`, unless there is an error.
  grpc::Status limits_error;

 private:
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::Status* response) override {
    *response = status;
    return grpc::Status::OK;
  }
  grpc::Status ListPeers(grpc::ServerContext*, const v1::ListPeersRequest*,
                         v1::ListPeersResponse* response) override {
    *response->mutable_peers() = status.peers();
    return grpc::Status::OK;
  }
  grpc::Status Leave(grpc::ServerContext*, const v1::LeaveSwarmRequest* request,
                     v1::LeaveSwarmResponse*) override {
    leave_reason = request->reason();
    if (leaves) leaving_ = std::thread([this] { server_->Shutdown(); });
    return grpc::Status::OK;
  }
  grpc::Status SetLimits(grpc::ServerContext*, const v1::SetLimitsRequest* request,
                         v1::SetLimitsResponse* response) override {
    if (!limits_error.ok()) return limits_error;
    v1::LinkLimits* limits = status.mutable_gossip()->mutable_budget()->mutable_limits();
    limits->MergeFrom(request->limits());
    *response->mutable_limits() = *limits;
    return grpc::Status::OK;
  }
  grpc::Status EvaluateAverage(grpc::ServerContext*, const v1::EvaluateAverageRequest*,
                               v1::EvaluateAverageResponse* response) override {
    *response = evaluation;
    return evaluation_error;
  }

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::thread leaving_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_CLI_GRPC_FAKE_STATUS_SERVICE_H_
