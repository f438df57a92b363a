// Control calls over gRPC: answered, unanswered, to nobody.

#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "peer/transport/grpc_transport.h"
#include "tests/peer/transport/silent_server.h"
#include "tests/peer/transport/transport_test_util.h"

namespace starling {
namespace {

TEST(GrpcCallsTest, AControlCallIsAnswered) {
  TestNode a, b;
  b.delegate.on_control = [](v1::ControlRequest request, ControlResponder respond) {
    v1::ControlResponse response;
    response.mutable_pong();
    response.mutable_sender()->set_reason("for " + request.sender().address());
    respond(std::move(response));
  };
  auto answer = a.Call(b.address(), Ping("a"), kPatience);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->has_pong());
  EXPECT_EQ(answer->sender().reason(), "for a");
}

TEST(GrpcCallsTest, AControlCallMayBeAnsweredLater) {
  TestNode a, b;
  ControlResponder later;
  absl::Notification asked;
  b.delegate.on_control = [&](v1::ControlRequest, ControlResponder respond) {
    later = std::move(respond);
    asked.Notify();
  };
  absl::Notification answered;
  a.control.Post([&] {
    a.transport->Call(b.address(), Ping("a"), kPatience,
                      [&](absl::StatusOr<v1::ControlResponse> answer) {
                        EXPECT_TRUE(answer.ok());
                        answered.Notify();
                      });
  });
  asked.WaitForNotification();
  RunOn(b.control, [&] { std::move(later)({}); });
  EXPECT_TRUE(answered.WaitForNotificationWithTimeout(kPatience));
}

TEST(GrpcCallsTest, ADroppedQuestionFailsTheCall) {
  TestNode a, b;
  b.delegate.on_control = [](v1::ControlRequest, ControlResponder) {};
  EXPECT_EQ(a.Call(b.address(), Ping("a"), kPatience).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(GrpcCallsTest, ACallWhereNobodyListensIsUnavailable) {
  TestNode a;
  SilentServer bound;  // and not listening
  const auto answer = a.Call(bound.address(), Ping("a"), kPatience);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable) << answer.status();
  EXPECT_NE(answer.status().message().find(bound.address()), std::string::npos);
}

TEST(GrpcCallsTest, ACallToASilentServerExceedsItsDeadline) {
  TestNode a;
  SilentServer silent;
  silent.Listen();
  EXPECT_EQ(a.Call(silent.address(), Ping("a"), absl::Milliseconds(200)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(GrpcCallsTest, AnUnansweredCallExceedsItsDeadlineAndLeavesNothingBehind) {
  TestNode a, b;
  std::vector<ControlResponder> kept;
  b.delegate.on_control = [&](v1::ControlRequest, ControlResponder respond) {
    kept.push_back(std::move(respond));
  };
  EXPECT_EQ(a.Call(b.address(), Ping("a"), absl::Milliseconds(200)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  b.StopServer();
  RunOn(b.control, [&] {
    for (ControlResponder& respond : kept) std::move(respond)({});
  });
}

}  // namespace
}  // namespace starling
