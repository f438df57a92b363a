#include "peer/transport/frame.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"

namespace starling {
namespace {

Frame MakeFrame(v1::FrameKind kind, std::vector<float> values) {
  Frame frame;
  frame.header.set_kind(kind);
  frame.header.set_elements(static_cast<uint32_t>(values.size()));
  auto copy = std::make_shared<std::vector<float>>(std::move(values));
  const float* data = copy->data();
  const size_t bytes = copy->size() * sizeof(float);
  frame.payload = SharedBytes(std::move(copy), data, bytes);
  SealFrame(frame);
  return frame;
}

v1::RefusalReason ReasonFor(Frame frame) {
  const absl::optional<FrameFault> fault = InspectFrame(frame);
  if (!fault) return v1::REFUSAL_REASON_UNSPECIFIED;
  EXPECT_FALSE(fault->detail.empty());
  return fault->reason;
}

constexpr auto kFine = v1::REFUSAL_REASON_UNSPECIFIED;

TEST(FrameTest, WhatMustCarryValuesIsRefusedWithoutThem) {
  for (const v1::FrameKind kind :
       {v1::FRAME_KIND_STATE_REPLY, v1::FRAME_KIND_REDUCE, v1::FRAME_KIND_AVERAGE,
        v1::FRAME_KIND_NEIGHBOUR_VALUES}) {
    EXPECT_EQ(ReasonFor(MakeFrame(kind, {1, 2})), kFine) << kind;
    EXPECT_EQ(ReasonFor(MakeFrame(kind, {})), v1::REFUSAL_REASON_WRONG_LENGTH) << kind;
  }
}

TEST(FrameTest, RequestsAndRepliesOfExchangesMayCarryNothing) {
  // A pull asks with nothing, a push is answered with nothing; the rule knows which.
  for (const v1::FrameKind kind : {v1::FRAME_KIND_MIX_REQUEST, v1::FRAME_KIND_MIX_REPLY}) {
    EXPECT_EQ(ReasonFor(MakeFrame(kind, {1, 2})), kFine) << kind;
    EXPECT_EQ(ReasonFor(MakeFrame(kind, {})), kFine) << kind;
  }
}

TEST(FrameTest, WhatOnlyAsksOrTellsMustCarryNothing) {
  for (const v1::FrameKind kind : {v1::FRAME_KIND_SETTLE, v1::FRAME_KIND_STATE_REQUEST,
                                   v1::FRAME_KIND_REFUSAL, v1::FRAME_KIND_NEIGHBOUR_ASK}) {
    EXPECT_EQ(ReasonFor(MakeFrame(kind, {})), kFine) << kind;
    EXPECT_EQ(ReasonFor(MakeFrame(kind, {1, 2})), v1::REFUSAL_REASON_BAD_REQUEST) << kind;
  }
}

TEST(FrameTest, AKindOfALaterVersionIsRefused) {
  EXPECT_EQ(ReasonFor(MakeFrame(v1::FRAME_KIND_UNSPECIFIED, {1})), v1::REFUSAL_REASON_BAD_REQUEST);
  EXPECT_EQ(ReasonFor(MakeFrame(static_cast<v1::FrameKind>(999), {1})),
            v1::REFUSAL_REASON_BAD_REQUEST);
}

TEST(FrameTest, ValuesOfNeighboursAreInspectedLikeAllOthers) {
  const auto kind = v1::FRAME_KIND_NEIGHBOUR_VALUES;
  EXPECT_EQ(ReasonFor(MakeFrame(kind, {1, std::numeric_limits<float>::quiet_NaN()})),
            v1::REFUSAL_REASON_NON_FINITE);
  EXPECT_EQ(ReasonFor(MakeFrame(kind, {std::numeric_limits<float>::infinity(), 1})),
            v1::REFUSAL_REASON_NON_FINITE);
  Frame damaged = MakeFrame(kind, {1, 2});
  damaged.header.set_payload_hash(damaged.header.payload_hash() + 1);
  EXPECT_EQ(ReasonFor(damaged), v1::REFUSAL_REASON_CORRUPT);
  Frame short_of = MakeFrame(kind, {1, 2});
  short_of.header.set_elements(3);
  EXPECT_EQ(ReasonFor(short_of), v1::REFUSAL_REASON_WRONG_LENGTH);
  Frame coded = MakeFrame(kind, {1, 2});
  coded.header.set_codec(static_cast<v1::Codec>(99));
  EXPECT_EQ(ReasonFor(coded), v1::REFUSAL_REASON_UNKNOWN_CODEC);
}

Frame Coded(v1::FrameKind kind, absl::string_view spec, std::vector<float> values) {
  const auto codec = *MakeCodec(spec);
  auto bytes = std::make_shared<std::string>(codec->MaxBytes(values.size()), '\0');
  bytes->resize(EncodePayload(*codec, values, 1, nullptr, bytes->data()));
  const char* const data = bytes->data();
  const size_t size = bytes->size();
  Frame frame;
  frame.header.set_kind(kind);
  frame.header.set_elements(static_cast<uint32_t>(values.size()));
  frame.header.set_codec(codec->wire());
  frame.payload = SharedBytes(std::move(bytes), data, size);
  SealFrame(frame);
  return frame;
}

TEST(FrameTest, WhatIsTooCoarseForAKindIsRefused) {
  const std::vector<float> values(3000, 0.5f);
  for (const CodecRow& row : CodecRegistry()) {
    const bool exact = row.name == "fp32";
    const bool fine = exact || row.name == "fp16" || row.name == "bf16";
    const auto unless = [](bool allowed) {
      return allowed ? kFine : v1::REFUSAL_REASON_UNKNOWN_CODEC;
    };
    EXPECT_EQ(ReasonFor(Coded(v1::FRAME_KIND_MIX_REPLY, row.name, values)), kFine) << row.name;
    EXPECT_EQ(ReasonFor(Coded(v1::FRAME_KIND_MIX_REQUEST, row.name, values)), unless(fine))
        << row.name;
    EXPECT_EQ(ReasonFor(Coded(v1::FRAME_KIND_REDUCE, row.name, values)), unless(exact))
        << row.name;
    EXPECT_EQ(ReasonFor(Coded(v1::FRAME_KIND_STATE_REPLY, row.name, values)), unless(exact))
        << row.name;
  }
}

TEST(FrameTest, EncodedPayloadsAreInspectedToo) {
  const auto kind = v1::FRAME_KIND_MIX_REPLY;
  for (const CodecRow& row : CodecRegistry()) {
    Frame longer = Coded(kind, row.name, std::vector<float>(3000, 0.5f));
    longer.header.set_elements(6000);
    EXPECT_EQ(ReasonFor(longer), v1::REFUSAL_REASON_WRONG_LENGTH) << row.name;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(ReasonFor(Coded(kind, row.name, std::vector<float>(3000, nan))),
              v1::REFUSAL_REASON_NON_FINITE)
        << row.name;
    Frame damaged = Coded(kind, row.name, std::vector<float>(3000, 0.5f));
    damaged.header.set_payload_hash(damaged.header.payload_hash() + 1);
    EXPECT_EQ(ReasonFor(damaged), v1::REFUSAL_REASON_CORRUPT) << row.name;
  }
}

// A few bytes must not stand for gigabytes.
TEST(FrameTest, APayloadThatWouldDecodeToMoreThanTheLimitIsRefused) {
  Frame frame = Coded(v1::FRAME_KIND_MIX_REPLY, "topk", std::vector<float>(3000, 0.5f));
  frame.header.set_elements(4'000'000'000u);
  EXPECT_EQ(ReasonFor(frame), v1::REFUSAL_REASON_OVERSIZED);
}

TEST(FrameTest, ARefusalRepeatsWhatIsRefusedAndCarriesNothing) {
  const Frame refused = MakeFrame(v1::FRAME_KIND_REDUCE, {1, 2});
  const Frame refusal = MakeRefusal(refused.header, v1::REFUSAL_REASON_UNKNOWN_ROUND, "why");
  EXPECT_EQ(refusal.header.kind(), v1::FRAME_KIND_REFUSAL);
  EXPECT_EQ(refusal.header.refused_kind(), v1::FRAME_KIND_REDUCE);
  EXPECT_EQ(refusal.header.refusal(), v1::REFUSAL_REASON_UNKNOWN_ROUND);
  EXPECT_EQ(refusal.header.detail(), "why");
  EXPECT_TRUE(refusal.payload.empty());
  EXPECT_EQ(ReasonFor(refusal), kFine);
}

}  // namespace
}  // namespace starling
