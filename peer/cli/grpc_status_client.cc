#include "peer/cli/grpc_status_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "peer/runtime/grpc_channel.h"
#include "peer/runtime/grpc_status.h"
#include "peer/runtime/host_port.h"
#include "peer/runtime/one_line.h"
#include "proto/status.grpc.pb.h"

namespace starling {
namespace {

constexpr absl::Duration kGiveUpPoll = absl::Milliseconds(50);

// gRPC chains its explanations with ": "; the last link is what people understand.
std::string Cause(const std::string& message) {
  const size_t last = message.rfind(": ");
  return OneLine(last == std::string::npos ? message : message.substr(last + 2));
}

// Daemons use UNAVAILABLE too ("still joining"); gRPC's own reasons are known by their words.
bool IsTransportFailure(const std::string& message) {
  for (const char* words :
       {"failed to connect", "DNS resolution failed", "Socket closed", "onnection re", "GOAWAY",
        "RST_STREAM", "HTTP", "Broken pipe", "keepalive"}) {
    if (absl::StrContains(message, words)) return true;
  }
  return message.empty();
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& endpoint,
                      absl::Duration timeout) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK: return absl::OkStatus();
    case grpc::StatusCode::UNAVAILABLE:
      if (!IsTransportFailure(status.error_message())) {
        return absl::UnavailableError(absl::StrCat("the daemon at ", endpoint,
                                                   " cannot do that now: ",
                                                   OneLine(status.error_message())));
      }
      return absl::UnavailableError(absl::StrCat("no daemon answers at ", endpoint, ": ",
                                                 Cause(status.error_message()),
                                                 "; is it running?"));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::DeadlineExceededError(absl::StrCat("the daemon at ", endpoint,
                                                      " did not answer within ",
                                                      absl::FormatDuration(timeout)));
    case grpc::StatusCode::CANCELLED: return absl::CancelledError("given up");
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(absl::StrCat("the daemon at ", endpoint,
                                                   " does not do that: ",
                                                   OneLine(status.error_message())));
    default:
      return absl::Status(FromGrpcStatus(status).code(),
                          absl::StrCat("the daemon at ", endpoint, " refused: ",
                                       OneLine(status.error_message())));
  }
}

// One call on its way. Lives until Wait() has returned.
template <typename Response>
struct PendingCall {
  grpc::ClientContext context;
  Response response;
  grpc::Status status;
  absl::Notification done;

  void SetTimeout(absl::Duration timeout) {
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  }
  std::function<void(grpc::Status)> Callback() {
    return [this](grpc::Status result) {
      status = std::move(result);
      done.Notify();
    };
  }
  void Wait(const StatusClient::GiveUp& give_up) {
    while (!done.WaitForNotificationWithTimeout(kGiveUpPoll)) {
      if (give_up && give_up()) {
        context.TryCancel();
        break;
      }
    }
    done.WaitForNotification();
  }
};

}  // namespace

struct StatusClient::Impl {
  std::string endpoint;
  std::unique_ptr<v1::StatusService::Stub> stub;

  using Async = v1::StatusService::StubInterface::async_interface;

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(void (Async::*method)(grpc::ClientContext*, const Request*,
                                                      Response*,
                                                      std::function<void(grpc::Status)>),
                                const Request& request, absl::Duration timeout,
                                const GiveUp& give_up) {
    PendingCall<Response> call;
    call.SetTimeout(timeout);
    Async* const async = stub->async();
    (async->*method)(&call.context, &request, &call.response, call.Callback());
    call.Wait(give_up);
    if (!call.status.ok()) return FromGrpc(call.status, endpoint, timeout);
    return std::move(call.response);
  }
};

StatusClient::StatusClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StatusClient::~StatusClient() = default;

absl::StatusOr<std::unique_ptr<StatusClient>> StatusClient::Create(absl::string_view endpoint) {
  if (absl::Status valid = ValidateDialable(endpoint); !valid.ok()) return valid;
  auto impl = std::make_unique<Impl>();
  impl->endpoint = std::string(endpoint);
  impl->stub = v1::StatusService::NewStub(MakeControlChannel(impl->endpoint));
  return std::unique_ptr<StatusClient>(new StatusClient(std::move(impl)));
}

const std::string& StatusClient::endpoint() const { return impl_->endpoint; }

absl::StatusOr<v1::Status> StatusClient::GetStatus(absl::Duration timeout,
                                                   const GiveUp& give_up) {
  return impl_->Call<v1::GetStatusRequest, v1::Status>(&Impl::Async::GetStatus, {}, timeout,
                                                       give_up);
}

absl::StatusOr<v1::ListPeersResponse> StatusClient::ListPeers(absl::Duration timeout,
                                                              const GiveUp& give_up) {
  return impl_->Call<v1::ListPeersRequest, v1::ListPeersResponse>(&Impl::Async::ListPeers, {},
                                                                  timeout, give_up);
}

absl::Status StatusClient::Leave(const std::string& reason, absl::Duration timeout,
                                 const GiveUp& give_up) {
  v1::LeaveSwarmRequest request;
  request.set_reason(reason);
  return impl_
      ->Call<v1::LeaveSwarmRequest, v1::LeaveSwarmResponse>(&Impl::Async::Leave, request, timeout,
                                                            give_up)
      .status();
}

absl::StatusOr<v1::LinkLimits> StatusClient::SetLimits(const v1::LinkLimits& limits,
                                                       absl::Duration timeout,
                                                       const GiveUp& give_up) {
  v1::SetLimitsRequest request;
  *request.mutable_limits() = limits;
  auto answer = impl_->Call<v1::SetLimitsRequest, v1::SetLimitsResponse>(
      &Impl::Async::SetLimits, request, timeout, give_up);
  if (!answer.ok()) return answer.status();
  return std::move(*answer->mutable_limits());
}

absl::StatusOr<v1::EvaluateAverageResponse> StatusClient::EvaluateAverage(absl::Duration timeout,
                                                                          const GiveUp& give_up) {
  return impl_->Call<v1::EvaluateAverageRequest, v1::EvaluateAverageResponse>(
      &Impl::Async::EvaluateAverage, {}, timeout, give_up);
}

std::vector<absl::StatusOr<v1::Status>> GetStatuses(const std::vector<StatusClient*>& clients,
                                                    absl::Duration timeout) {
  const v1::GetStatusRequest request;
  std::vector<std::unique_ptr<PendingCall<v1::Status>>> calls;
  for (StatusClient* client : clients) {
    calls.push_back(client == nullptr ? nullptr : std::make_unique<PendingCall<v1::Status>>());
    if (client == nullptr) continue;
    PendingCall<v1::Status>& call = *calls.back();
    call.SetTimeout(timeout);
    client->impl_->stub->async()->GetStatus(&call.context, &request, &call.response,
                                            call.Callback());
  }
  std::vector<absl::StatusOr<v1::Status>> answers;
  for (size_t i = 0; i < clients.size(); ++i) {
    if (calls[i] == nullptr) {
      answers.push_back(absl::UnavailableError("has no address yet"));
      continue;
    }
    PendingCall<v1::Status>& call = *calls[i];
    call.Wait(nullptr);
    if (call.status.ok()) {
      answers.push_back(std::move(call.response));
    } else {
      answers.push_back(FromGrpc(call.status, clients[i]->endpoint(), timeout));
    }
  }
  return answers;
}

}  // namespace starling
