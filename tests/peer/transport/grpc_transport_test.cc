#include "peer/transport/grpc_transport.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/peer/transport/grpc_plain_client.h"
#include "tests/peer/transport/silent_server.h"
#include "tests/peer/transport/transport_test_util.h"

namespace starling {
namespace {

TEST(GrpcTransportTest, FramesArriveBitEqual) {
  TestNode a, b;
  const std::vector<float> megabyte = RandomValues(1 << 18);
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(1, {})).ok());
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(2, megabyte)).ok());
  auto frames = b.delegate.AwaitFrames(2);
  ASSERT_EQ(frames.size(), 2);
  EXPECT_EQ(frames[0].frame.header.exchange_id(), 1);
  EXPECT_TRUE(frames[0].frame.payload.empty());
  EXPECT_EQ(frames[1].frame.header.exchange_id(), 2);
  EXPECT_EQ(frames[1].frame.payload.floats(), absl::MakeConstSpan(megabyte));
  EXPECT_EQ(a.transport->bytes_sent(), megabyte.size() * sizeof(float));
  EXPECT_EQ(b.transport->bytes_received(), megabyte.size() * sizeof(float));
}

TEST(GrpcTransportTest, AReplyReturnsToTheSender) {
  TestNode a, b;
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(5, {1, 2})).ok());
  auto requests = b.delegate.AwaitFrames(1);
  ASSERT_EQ(requests.size(), 1);
  Frame reply = RequestFrame(5, {3, 4, 5});
  reply.header.set_kind(v1::FRAME_KIND_MIX_REPLY);
  RunOn(b.control, [&] { requests[0].reply->Send(reply); });

  auto replies = a.delegate.AwaitFrames(1);
  ASSERT_EQ(replies.size(), 1);
  EXPECT_EQ(replies[0].frame.header.kind(), v1::FRAME_KIND_MIX_REPLY);
  EXPECT_EQ(replies[0].frame.payload.floats(), absl::MakeConstSpan({3.0f, 4.0f, 5.0f}));
}

TEST(GrpcTransportTest, AReplyPathThatOutlivesItsStreamDoesNothing) {
  TestNode b;
  std::vector<RecordingDelegate::Arrival> requests;
  {
    TestNode a;
    ASSERT_TRUE(a.Send(b.address(), RequestFrame(5, {1, 2})).ok());
    requests = b.delegate.AwaitFrames(1);
  }
  b.StopServer();
  RunOn(b.control, [&] { requests.at(0).reply->Send(RequestFrame(5, {3})); });
}

TEST(GrpcTransportTest, ManyFramesKeepTheirOrder) {
  TestNode a, b;
  constexpr int kFrames = 500;
  const std::string to = b.address();
  RunOn(a.control, [&] {
    for (int i = 0; i < kFrames; ++i) {
      const std::vector<float> values(1 + i % 3000, static_cast<float>(i));
      ASSERT_TRUE(a.transport->SendFrame(to, RequestFrame(i, values)).ok());
    }
  });
  auto frames = b.delegate.AwaitFrames(kFrames);
  ASSERT_EQ(frames.size(), kFrames);
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_EQ(frames[i].frame.header.exchange_id(), i);
    ASSERT_EQ(frames[i].frame.payload.floats().front(), i);
  }
}

TEST(GrpcTransportTest, AnyGrpcClientCanTalkToUs) {
  TestNode b;
  TypedStream client(b.address());
  ASSERT_TRUE(client.stream().Write(Message(RequestFrame(1, {1, 2, 3}))));
  auto frames = b.delegate.AwaitFrames(1);
  ASSERT_EQ(frames.size(), 1);
  EXPECT_EQ(frames[0].frame.payload.floats(), absl::MakeConstSpan({1.0f, 2.0f, 3.0f}));

  Frame reply = RequestFrame(1, {4});
  reply.header.set_kind(v1::FRAME_KIND_MIX_REPLY);
  RunOn(b.control, [&] { frames[0].reply->Send(reply); });
  v1::ShardFrame answer;
  ASSERT_TRUE(client.stream().Read(&answer));
  EXPECT_EQ(answer.header().kind(), v1::FRAME_KIND_MIX_REPLY);
  EXPECT_EQ(answer.payload().size(), sizeof(float));
  EXPECT_TRUE(client.Finish().ok());
}

TEST(GrpcTransportTest, BadFramesAreRefusedAndTheStreamLives) {
  TestNode b;
  b.transport->SetIdentity(77, 3, 99);
  TypedStream client(b.address());

  v1::ShardFrame corrupt = Message(RequestFrame(8, {1, 2, 3}));
  corrupt.mutable_payload()->at(5) ^= 1;
  const v1::ShardHeader refusal = client.Ask(corrupt);
  EXPECT_EQ(refusal.kind(), v1::FRAME_KIND_REFUSAL);
  EXPECT_EQ(refusal.refusal(), v1::REFUSAL_REASON_CORRUPT);
  EXPECT_EQ(refusal.refused_kind(), v1::FRAME_KIND_MIX_REQUEST);
  EXPECT_EQ(refusal.exchange_id(), 8);
  EXPECT_EQ(refusal.sender(), 77);
  EXPECT_EQ(refusal.sender_incarnation(), 3);
  EXPECT_EQ(refusal.run_id(), 99);

  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(client.Ask(Message(RequestFrame(1, {1, nan}))).refusal(),
            v1::REFUSAL_REASON_NON_FINITE);
  v1::ShardFrame odd = Message(RequestFrame(1, {1, 2}));
  odd.mutable_payload()->pop_back();
  EXPECT_EQ(client.Ask(odd).refusal(), v1::REFUSAL_REASON_WRONG_LENGTH);
  v1::ShardFrame large = Message(RequestFrame(1, {1}));
  large.mutable_payload()->resize(kMaxPayloadBytes + 4);
  EXPECT_EQ(client.Ask(large).refusal(), v1::REFUSAL_REASON_OVERSIZED);
  EXPECT_EQ(b.delegate.AwaitRefused(4),
            (std::vector<v1::RefusalReason>{
                v1::REFUSAL_REASON_CORRUPT, v1::REFUSAL_REASON_NON_FINITE,
                v1::REFUSAL_REASON_WRONG_LENGTH, v1::REFUSAL_REASON_OVERSIZED}));

  ASSERT_TRUE(client.stream().Write(Message(RequestFrame(4, {1}))));
  auto frames = b.delegate.AwaitFrames(1);
  ASSERT_EQ(frames.size(), 1);
  EXPECT_EQ(frames[0].frame.header.exchange_id(), 4);
}

TEST(GrpcTransportTest, ABadRefusalIsNotRefusedInTurn) {
  TestNode b;
  TypedStream client(b.address());
  Frame refusal = RequestFrame(1, {1});
  refusal.header.set_kind(v1::FRAME_KIND_REFUSAL);
  ASSERT_TRUE(client.stream().Write(Message(refusal)));
  EXPECT_EQ(b.delegate.AwaitRefused(1).size(), 1);
  v1::ShardFrame corrupt = Message(RequestFrame(2, {1}));
  corrupt.mutable_header()->set_payload_hash(0);
  EXPECT_EQ(client.Ask(corrupt).exchange_id(), 2);  // the first answer of all
}

TEST(GrpcTransportTest, AMessageAboveTheLimitOfGrpcEndsTheStreamNotTheConnection) {
  TestNode b;
  TypedStream client(b.address());
  v1::ShardFrame huge = Message(RequestFrame(1, {1}));
  huge.mutable_payload()->resize(18 << 20);
  client.stream().Write(huge);
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);

  client.Reopen();
  ASSERT_TRUE(client.stream().Write(Message(RequestFrame(4, {1}))));
  EXPECT_EQ(b.delegate.AwaitFrames(1).size(), 1);
}

TEST(GrpcTransportTest, BytesThatAreNoFrameEndTheStream) {
  TestNode b;
  TypedStream client(b.address());
  v1::ShardFrame bloated = Message(RequestFrame(1, {}));
  bloated.mutable_header()->set_detail(std::string(kMaxHeaderBytes + 1, 'x'));
  client.stream().Write(bloated);
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(b.delegate.AwaitRefused(1),
            std::vector<v1::RefusalReason>{v1::REFUSAL_REASON_CORRUPT});
}

TEST(GrpcTransportTest, ABrokenPathIsReportedAndTheRestartedPeerIsFoundAgain) {
  TestNode a;
  auto b = std::make_unique<TestNode>();
  const std::string address = b->address();
  ASSERT_TRUE(a.Send(address, RequestFrame(1, {1})).ok());
  ASSERT_EQ(b->delegate.AwaitFrames(1).size(), 1);
  b.reset();
  auto broken = a.delegate.AwaitBroken(1);
  ASSERT_EQ(broken.size(), 1);
  EXPECT_EQ(broken[0].first, address);

  b = std::make_unique<TestNode>(GrpcTransportOptions(), address);
  // Frames are lost until the channel tries to connect again; each loss is reported.
  size_t losses = 1;
  while (b->delegate.frames() == 0 && losses < 100) {
    ASSERT_TRUE(a.Send(address, RequestFrame(2, {1})).ok());
    ASSERT_TRUE(Eventually(
        [&] { return b->delegate.frames() > 0 || a.delegate.AwaitBroken(0).size() > losses; }));
    ++losses;
  }
  EXPECT_EQ(b->delegate.frames(), 1);
  b->delegate.on_control = [](v1::ControlRequest, ControlResponder respond) { respond({}); };
  EXPECT_TRUE(a.Call(address, Ping("a"), kPatience).ok());
}

TEST(GrpcTransportTest, AFrameToNobodyIsReported) {
  TestNode a;
  SilentServer bound;  // and not listening
  ASSERT_TRUE(a.Send(bound.address(), RequestFrame(1, {1})).ok());
  auto broken = a.delegate.AwaitBroken(1);
  ASSERT_EQ(broken.size(), 1);
  EXPECT_EQ(broken[0].second.code(), absl::StatusCode::kUnavailable) << broken[0].second;
}

TEST(GrpcTransportTest, TheQueueToASlowPeerIsBounded) {
  GrpcTransportOptions options;
  options.max_queued_bytes = size_t{20} << 20;
  TestNode a(options);
  SilentServer silent;
  silent.Listen();
  const Frame frame = RequestFrame(1, std::vector<float>(1 << 20));
  absl::Status status;
  int queued = 0;
  while (status.ok() && queued < 10) {
    status = a.Send(silent.address(), frame);
    if (status.ok()) ++queued;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(queued, 4);  // of 4 MiB each, and some overhead
  EXPECT_EQ(a.transport->frames_dropped(), 1);
  a.transport->MakeRoomFor(1000);
  EXPECT_FALSE(a.Send(silent.address(), frame).ok()) << "no less than before";
  a.transport->MakeRoomFor(size_t{26} << 20);
  EXPECT_TRUE(a.Send(silent.address(), frame).ok());
  EXPECT_TRUE(a.Send(silent.address(), frame).ok());
  EXPECT_FALSE(a.Send(silent.address(), frame).ok());
}

TEST(GrpcTransportTest, AReceiverThatDoesNotKeepUpHoldsTheSenderBack) {
  GrpcTransportOptions options;
  options.max_undelivered_bytes = 1 << 20;
  TestNode a, b(options);
  absl::Notification resume;
  b.control.Post([&] { resume.WaitForNotification(); });
  constexpr int kFrames = 64;
  const Frame frame = RequestFrame(1, std::vector<float>(1 << 18));
  RunOn(a.control, [&] {
    for (int i = 0; i < kFrames; ++i) {
      ASSERT_TRUE(a.transport->SendFrame(b.address(), frame).ok());
    }
  });
  // gRPC takes what its windows and buffers hold and no more; the rest waits at the sender.
  ASSERT_TRUE(Eventually([&] { return a.transport->bytes_sent() >= uint64_t{8} << 20; }));
  EXPECT_LE(b.transport->bytes_received(), uint64_t{2} << 20);
  resume.Notify();
  EXPECT_EQ(b.delegate.AwaitFrames(kFrames).size(), kFrames);
}

TEST(GrpcTransportTest, AForgottenPathIsClosedWithoutAReport) {
  TestNode a, b;
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(1, {1})).ok());
  ASSERT_EQ(b.delegate.AwaitFrames(1).size(), 1);
  RunOn(a.control, [&] { a.transport->Forget(b.address()); });
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(2, {1})).ok());
  ASSERT_EQ(b.delegate.AwaitFrames(2).size(), 2);
  b.StopServer();
  // Of the two streams only the second broke.
  EXPECT_EQ(a.delegate.AwaitBroken(1).size(), 1);
}

TEST(GrpcTransportTest, AnIdleStreamIsClosedInGoodOrderAndReopened) {
  GrpcTransportOptions options;
  options.idle_timeout = absl::Milliseconds(20);
  TestNode a(options), b;
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(a.Send(b.address(), RequestFrame(i, {1})).ok());
    auto frames = b.delegate.AwaitFrames(i);
    ASSERT_EQ(frames.size(), i);
    ASSERT_TRUE(Eventually([&] { return b.transport->incoming_streams() == 0; }));
  }
  EXPECT_TRUE(a.delegate.AwaitBroken(0).empty());
  EXPECT_EQ(a.transport->frames_dropped(), 0);
}

TEST(GrpcTransportTest, WithoutADelegateFramesAndCallsAreRefused) {
  TestNode a, b;
  RunOn(b.control, [&] { b.transport->SetDelegate(nullptr); });
  EXPECT_EQ(a.Call(b.address(), Ping("a"), kPatience).status().code(),
            absl::StatusCode::kUnavailable);
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(1, {1})).ok());
  EXPECT_EQ(a.delegate.AwaitBroken(1).size(), 1);
}

TEST(GrpcTransportTest, SettingNoDelegateEndsIncomingStreamsSoThatTheServerStopsAtOnce) {
  TestNode a, b;
  ASSERT_TRUE(a.Send(b.address(), RequestFrame(1, {1})).ok());
  ASSERT_EQ(b.delegate.AwaitFrames(1).size(), 1);
  RunOn(b.control, [&] { b.transport->SetDelegate(nullptr); });
  b.server->Shutdown(absl::InfiniteDuration());
  EXPECT_EQ(a.delegate.AwaitBroken(1).size(), 1);
}

TEST(GrpcTransportTest, DestructionWithFramesAndCallsUnderwayIsClean) {
  for (int round = 0; round < 20; ++round) {
    SilentServer silent;
    silent.Listen();
    TestNode b;
    absl::Notification called_back;
    {
      TestNode a;
      const Frame frame = RequestFrame(1, std::vector<float>(1 << 18));
      RunOn(a.control, [&] {
        for (int i = 0; i < 20; ++i) {
          ASSERT_TRUE(a.transport->SendFrame(b.address(), frame).ok());
          ASSERT_TRUE(a.transport->SendFrame(silent.address(), frame).ok());
        }
        a.transport->Call(silent.address(), Ping("a"), absl::Minutes(1),
                          [&](absl::StatusOr<v1::ControlResponse> answer) {
                            EXPECT_EQ(answer.status().code(), absl::StatusCode::kCancelled);
                            called_back.Notify();
                          });
      });
      a.StopServer();
      RunOn(a.control, [&] { a.transport.reset(); });
      EXPECT_TRUE(called_back.WaitForNotificationWithTimeout(kPatience));
    }
  }
}

TEST(GrpcTransportTest, OptionsThatMakeNoSenseAreRefusedByName) {
  GrpcTransportOptions options;
  EXPECT_TRUE(options.Validate().ok());
  options.max_queued_bytes = 1000;
  EXPECT_NE(options.Validate().message().find("max_queued_bytes"), std::string::npos);
}

}  // namespace
}  // namespace starling
