#include "peer/transport/grpc_transport.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "peer/runtime/random.h"
#include "proto/peer.grpc.pb.h"
#include "tests/peer/transport/transport_test_util.h"

namespace starling {
namespace {

std::vector<float> RandomValues(size_t count) {
  Random random(count);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.Normal());
  return values;
}

// What any gRPC client in any language would send.
v1::ShardFrame Message(const Frame& frame) {
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

// A port of the loopback that is bound; connections are taken and never answered.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(name.sin_port));
  }
  ~SilentServer() { ::close(fd_); }

  void Listen() { EXPECT_EQ(::listen(fd_, 8), 0); }
  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

v1::ControlRequest Ping(const std::string& from) {
  v1::ControlRequest request;
  request.mutable_sender()->set_address(from);
  request.mutable_ping();
  return request;
}

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

TEST(GrpcTransportTest, AControlCallIsAnswered) {
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

TEST(GrpcTransportTest, AControlCallMayBeAnsweredLater) {
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

TEST(GrpcTransportTest, ADroppedQuestionFailsTheCall) {
  TestNode a, b;
  b.delegate.on_control = [](v1::ControlRequest, ControlResponder) {};
  EXPECT_EQ(a.Call(b.address(), Ping("a"), kPatience).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(GrpcTransportTest, ACallWhereNobodyListensIsUnavailable) {
  TestNode a;
  SilentServer bound;  // and not listening
  const auto answer = a.Call(bound.address(), Ping("a"), kPatience);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable) << answer.status();
  EXPECT_NE(answer.status().message().find(bound.address()), std::string::npos);
}

TEST(GrpcTransportTest, ACallToASilentServerExceedsItsDeadline) {
  TestNode a;
  SilentServer silent;
  silent.Listen();
  EXPECT_EQ(a.Call(silent.address(), Ping("a"), absl::Milliseconds(200)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(GrpcTransportTest, AnUnansweredCallExceedsItsDeadlineAndLeavesNothingBehind) {
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

// Frames in one direction, the first of them before the two ends have agreed on anything.
uint64_t BytesCopied(TestNode& a, TestNode& b, uint64_t first_exchange, size_t elements = 16 << 10) {
  constexpr int kFrames = 20;
  const std::string to = b.address();
  size_t before = b.delegate.frames();
  for (int i = 0; i < kFrames; ++i) {
    const auto exchange = first_exchange + static_cast<uint64_t>(i);
    const std::vector<float> values(elements, static_cast<float>(exchange));
    EXPECT_TRUE(a.Send(to, RequestFrame(exchange, values)).ok());
    const auto frames = b.delegate.AwaitFrames(++before);
    if (frames.size() != before) {
      ADD_FAILURE() << "frame " << i << " did not come";
      break;
    }
    EXPECT_EQ(frames.back().frame.header.exchange_id(), exchange);
    EXPECT_EQ(frames.back().frame.payload.floats(), absl::MakeConstSpan(values));
  }
  return b.transport->bytes_copied();
}

TEST(GrpcTransportTest, PeersOfOneHostCopyPayloadsFromEachOthersMemory) {
  TestNode a, b;
  const uint64_t copied = BytesCopied(a, b, 1);
  EXPECT_GT(copied, 0);
  EXPECT_LE(copied, b.transport->bytes_received());
  EXPECT_EQ(a.transport->bytes_sent(), b.transport->bytes_received());
}

TEST(GrpcTransportTest, RepliesAreCopiedToo) {
  TestNode a, b;
  EXPECT_GT(BytesCopied(a, b, 1), 0);
  auto requests = b.delegate.AwaitFrames(1);
  Frame reply = RequestFrame(1, RandomValues(1 << 16));
  reply.header.set_kind(v1::FRAME_KIND_MIX_REPLY);
  RunOn(b.control, [&] { requests[0].reply->Send(reply); });
  auto replies = a.delegate.AwaitFrames(1);
  ASSERT_EQ(replies.size(), 1);
  EXPECT_EQ(replies[0].frame.payload.floats(), reply.payload.floats());
  EXPECT_EQ(a.transport->bytes_copied(), size_t{4} << 16);
}

TEST(GrpcTransportTest, NothingIsCopiedIfOneEndDoesNotWantIt) {
  GrpcTransportOptions options;
  options.same_host_copies = false;
  TestNode a(options), b, c(options);
  EXPECT_EQ(BytesCopied(a, b, 1), 0);
  EXPECT_EQ(BytesCopied(b, c, 1), 0);
}

TEST(GrpcTransportTest, PayloadsThatWereCopiedMakeRoomForOthers) {
  GrpcTransportOptions options;
  options.max_queued_bytes = 2 * kMaxPayloadBytes;
  TestNode a(options), b;
  EXPECT_GT(BytesCopied(a, b, 1, size_t{1} << 20), 2 * options.max_queued_bytes);
}

TEST(GrpcTransportTest, APayloadThatWasCopiedIsLetGoThoughNobodyAnswers) {
  TestNode a, b;
  EXPECT_GT(BytesCopied(a, b, 1), 0);
  Frame frame = RequestFrame(100, RandomValues(1 << 16));
  absl::Notification let_go;
  frame.payload = SharedBytes(
      std::shared_ptr<const void>(frame.payload.data(),
                                  [&let_go, whole = frame.payload](const void*) { let_go.Notify(); }),
      frame.payload.data(), frame.payload.size());
  EXPECT_TRUE(a.Send(b.address(), std::move(frame)).ok());
  EXPECT_TRUE(let_go.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST(GrpcTransportTest, AReferenceOfSomebodyWhoHasShownNothingIsRefused) {
  TestNode b;
  TypedStream client(b.address());
  const std::vector<float> secret(64, 7.0f);
  v1::ShardFrame frame = Message(RequestFrame(8, {}));
  frame.mutable_header()->set_elements(secret.size());
  v1::SameHost& reference = *frame.mutable_same_host();
  reference.set_process(static_cast<int32_t>(getpid()));
  reference.set_payload_at(reinterpret_cast<uint64_t>(secret.data()));
  reference.set_payload_bytes(secret.size() * sizeof(float));
  const auto refusal = [&] {
    v1::ShardFrame answer;
    EXPECT_TRUE(client.stream().Write(frame));
    // It proposes to look at our memory meanwhile.
    while (client.stream().Read(&answer) && !answer.has_header()) {
    }
    return answer.header().refusal();
  };
  EXPECT_EQ(refusal(), v1::REFUSAL_REASON_CORRUPT);
  reference.set_payload_bytes(1u << 31);
  EXPECT_EQ(refusal(), v1::REFUSAL_REASON_OVERSIZED);
  // Nor does it help to claim a proof.
  reference.set_payload_bytes(secret.size() * sizeof(float));
  reference.set_shown_at(reinterpret_cast<uint64_t>(secret.data()));
  EXPECT_EQ(refusal(), v1::REFUSAL_REASON_CORRUPT);
  reference.clear_shown_at();
  EXPECT_EQ(refusal(), v1::REFUSAL_REASON_CORRUPT);
  EXPECT_EQ(b.delegate.frames(), 0);
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
