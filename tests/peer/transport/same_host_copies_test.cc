// Payloads between peers of one machine: copied from the sender's memory, or not.

#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "peer/transport/grpc_transport.h"
#include "tests/peer/transport/grpc_plain_client.h"
#include "tests/peer/transport/transport_test_util.h"

namespace starling {
namespace {

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

TEST(SameHostCopiesTest, PeersOfOneHostCopyPayloadsFromEachOthersMemory) {
  TestNode a, b;
  const uint64_t copied = BytesCopied(a, b, 1);
  EXPECT_GT(copied, 0);
  EXPECT_LE(copied, b.transport->bytes_received());
  EXPECT_EQ(a.transport->bytes_sent(), b.transport->bytes_received());
}

TEST(SameHostCopiesTest, RepliesAreCopiedToo) {
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

TEST(SameHostCopiesTest, NothingIsCopiedIfOneEndDoesNotWantIt) {
  GrpcTransportOptions options;
  options.same_host_copies = false;
  TestNode a(options), b, c(options);
  EXPECT_EQ(BytesCopied(a, b, 1), 0);
  EXPECT_EQ(BytesCopied(b, c, 1), 0);
}

TEST(SameHostCopiesTest, PayloadsThatWereCopiedMakeRoomForOthers) {
  GrpcTransportOptions options;
  options.max_queued_bytes = 2 * kMaxPayloadBytes;
  TestNode a(options), b;
  EXPECT_GT(BytesCopied(a, b, 1, size_t{1} << 20), 2 * options.max_queued_bytes);
}

TEST(SameHostCopiesTest, APayloadThatWasCopiedIsLetGoThoughNobodyAnswers) {
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

TEST(SameHostCopiesTest, AReferenceOfSomebodyWhoHasShownNothingIsRefused) {
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

}  // namespace
}  // namespace starling
