#include "peer/runtime/grpc_server.h"

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "peer/runtime/grpc_status.h"
#include "proto/status.grpc.pb.h"

namespace starling {
namespace {

using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

constexpr absl::Duration kPatience = absl::Seconds(20);

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
}

class StatusService final : public v1::StatusService::CallbackService {};

class GrpcServerTest : public testing::Test {
 protected:
  GrpcServerTest() {
    auto server = GrpcServer::Start({}, {&service_});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  }

  // Asks the reflection service; question and answer are text. Its messages are known to the
  // library that serves it, without a header of theirs.
  std::string Reflect(const std::string& question) {
    auto make = [](const char* name) {
      const auto* type =
          google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
      return std::unique_ptr<google::protobuf::Message>(
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    };
    auto request = make("grpc.reflection.v1alpha.ServerReflectionRequest");
    auto response = make("grpc.reflection.v1alpha.ServerReflectionResponse");
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(question, request.get()));

    grpc::TemplatedGenericStub<google::protobuf::Message, google::protobuf::Message> stub(channel_);
    grpc::ClientContext context;
    SetDeadline(context);
    absl::Notification done;
    stub.UnaryCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", {},
                   request.get(), response.get(), [&done](grpc::Status status) {
                     EXPECT_TRUE(status.ok()) << status.error_message();
                     done.Notify();
                   });
    done.WaitForNotification();
    return response->DebugString();
  }

  grpc::Status Check(const std::string& service, HealthCheckResponse* response) {
    grpc::ClientContext context;
    SetDeadline(context);
    HealthCheckRequest request;
    request.set_service(service);
    return Health::NewStub(channel_)->Check(&context, request, response);
  }

  StatusService service_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcServerTest, ReflectionListsEveryServiceAndDescribesIt) {
  const std::string list = Reflect("list_services: ''");
  for (const std::string name : {"starling.v1.StatusService", "grpc.health.v1.Health"}) {
    EXPECT_NE(list.find("\"" + name + "\""), std::string::npos) << list;
    const std::string described = Reflect("file_containing_symbol: '" + name + "'");
    EXPECT_NE(described.find("file_descriptor_proto:"), std::string::npos) << described;
  }
}

TEST_F(GrpcServerTest, HealthOfTheProcessAndOfNamedServicesIsChecked) {
  HealthCheckResponse response;
  ASSERT_TRUE(Check("", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(Check("training", &response).error_code(), grpc::StatusCode::NOT_FOUND);
  server_->SetServing("training", false);
  ASSERT_TRUE(Check("training", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  server_->SetServing("training", true);
  ASSERT_TRUE(Check("training", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
}

TEST_F(GrpcServerTest, WatchersSeeEachChangeAndTheEnd) {
  auto stub = Health::NewStub(channel_);
  grpc::ClientContext context;
  SetDeadline(context);
  HealthCheckRequest request;
  request.set_service("training");
  auto stream = stub->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  server_->SetServing("training", true);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->SetServing("training", true);  // no change, no message
  server_->SetServing("training", false);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  server_->Shutdown(absl::InfiniteDuration());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, AWatcherThatLeavesIsForgotten) {
  auto stub = Health::NewStub(channel_);
  {
    grpc::ClientContext context;
    auto stream = stub->Watch(&context, HealthCheckRequest());
    HealthCheckResponse response;
    ASSERT_TRUE(stream->Read(&response));
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  server_->Shutdown(absl::InfiniteDuration());
}

TEST_F(GrpcServerTest, ATakenPortIsUnavailableAndNamed) {
  GrpcServer::Options options;
  options.listen = server_->address();
  const auto second = GrpcServer::Start(options, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find(server_->address()), absl::string_view::npos);
}

TEST_F(GrpcServerTest, AfterShutdownThePortIsFree) {
  GrpcServer::Options options;
  options.listen = server_->address();
  server_->Shutdown(absl::ZeroDuration());
  server_->Shutdown(absl::ZeroDuration());
  const auto next = GrpcServer::Start(options, {});
  EXPECT_TRUE(next.ok()) << next.status();
}

TEST(GrpcServerStartTest, AnAddressThatMakesNoSenseIsAnInvalidArgument) {
  GrpcServer::Options options;
  options.listen = "nonsense";
  EXPECT_EQ(GrpcServer::Start(options, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(GrpcStatusTest, CodesAndMessagesSurviveTheRoundTrip) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), code == 0 ? "" : "why");
    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
  }
  EXPECT_EQ(FromGrpcStatus(grpc::Status(static_cast<grpc::StatusCode>(17), "odd")),
            absl::UnknownError("odd"));
}

}  // namespace
}  // namespace starling
