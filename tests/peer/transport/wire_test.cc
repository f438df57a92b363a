#include "peer/transport/wire.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"
#include "peer/transport/frame.h"

namespace starling {
namespace {

v1::ShardHeader Header() {
  v1::ShardHeader header;
  header.set_kind(v1::FRAME_KIND_AVERAGE);
  header.set_exchange_id(0x1122334455667788u);
  header.set_sender(42);
  header.set_shard(3);
  header.set_elements(5);
  header.set_weight(0.5);
  header.add_contributors(7);
  header.add_contributors(9);
  header.set_detail("one line");
  return header;
}

std::string Text(const WireFrame& frame) {
  std::string text;
  for (absl::string_view piece : frame.payload) text.append(piece.data(), piece.size());
  return text;
}

// Parses `bytes`, which must outlive the frame.
absl::Status ParseWhole(const std::string& bytes, WireFrame* frame) {
  const absl::string_view slice = bytes;
  return ParseFrame(absl::MakeConstSpan(&slice, 1), frame);
}
absl::Status ParseWhole(std::string&& bytes, WireFrame* frame) = delete;

absl::StatusCode CodeOf(const std::string& bytes) {
  WireFrame frame;
  return ParseWhole(bytes, &frame).code();
}

std::string Field(int number, int type, const std::string& rest) {
  return std::string(1, static_cast<char>(number << 3 | type)) + rest;
}

TEST(WireTest, ProtobufUnderstandsWhatIsWritten) {
  const std::string payload = "twenty bytes payload";
  v1::ShardFrame message;
  ASSERT_TRUE(message.ParseFromString(EncodeFramePrefix(Header(), payload.size()) + payload));
  EXPECT_EQ(message.header().SerializeAsString(), Header().SerializeAsString());
  EXPECT_EQ(message.payload(), payload);
}

v1::SameHost Word() {
  v1::SameHost word;
  word.set_host("a host");
  word.set_challenge(17);
  return word;
}

TEST(WireTest, WordsForTheSameHostAreWrittenAndReadAsProtobufDoes) {
  v1::ShardFrame message;
  *message.mutable_header() = Header();
  *message.mutable_same_host() = Word();
  const v1::SameHost word = Word();
  EXPECT_EQ(EncodeFramePrefix(Header(), 0, &word), message.SerializeAsString());
  message.clear_header();
  EXPECT_EQ(EncodeWord(word), message.SerializeAsString());

  const std::string alone = EncodeWord(word);
  const absl::string_view slice = alone;
  WireFrame frame;
  ASSERT_TRUE(ParseFrame({&slice, 1}, &frame).ok());
  EXPECT_FALSE(frame.has_header);
  ASSERT_TRUE(frame.word);
  EXPECT_EQ(frame.word->challenge(), 17);
}

TEST(WireTest, ASecondWordAndOneThatCannotBeReadAreRefused) {
  EXPECT_EQ(CodeOf(EncodeWord(Word()) + EncodeWord(Word())), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(std::string("\x12\x02\x0a\x7f", 4)), absl::StatusCode::kInvalidArgument);
  v1::SameHost large;
  large.set_host(std::string(kMaxHeaderBytes, 'x'));
  EXPECT_EQ(CodeOf(EncodeWord(large)), absl::StatusCode::kInvalidArgument);
}

TEST(WireTest, AFrameWithoutPayloadIsWhatProtobufWrites) {
  v1::ShardFrame message;
  *message.mutable_header() = Header();
  EXPECT_EQ(EncodeFramePrefix(Header(), 0), message.SerializeAsString());
}

TEST(WireTest, LargePayloadHasTheRightLength) {
  const std::string payload(3 << 20, 'x');
  v1::ShardFrame message;
  ASSERT_TRUE(message.ParseFromString(EncodeFramePrefix(Header(), payload.size()) + payload));
  EXPECT_EQ(message.payload(), payload);
}

TEST(WireTest, WhatProtobufWritesIsUnderstood) {
  v1::ShardFrame message;
  *message.mutable_header() = Header();
  for (const char* payload : {"", "some payload"}) {
    message.set_payload(payload);
    const std::string bytes = message.SerializeAsString();
    WireFrame frame;
    ASSERT_TRUE(ParseWhole(bytes, &frame).ok());
    EXPECT_EQ(frame.header.SerializeAsString(), Header().SerializeAsString());
    EXPECT_EQ(Text(frame), payload);
    EXPECT_EQ(frame.payload_size, message.payload().size());
  }
}

TEST(WireTest, AnEmptyMessageIsAnEmptyFrame) {
  WireFrame frame;
  EXPECT_TRUE(ParseFrame({}, &frame).ok());
  EXPECT_EQ(frame.header.kind(), v1::FRAME_KIND_UNSPECIFIED);
  EXPECT_EQ(frame.payload_size, 0);
}

TEST(WireTest, SlicesMayBeCutAnywhere) {
  const std::string bytes = EncodeFramePrefix(Header(), 11) + "hello world";
  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); ++second) {
      const absl::string_view all = bytes;
      const std::vector<absl::string_view> slices = {
          all.substr(0, first), absl::string_view(), all.substr(first, second - first),
          all.substr(second)};
      WireFrame frame;
      ASSERT_TRUE(ParseFrame(slices, &frame).ok()) << first << " " << second;
      ASSERT_EQ(frame.header.SerializeAsString(), Header().SerializeAsString());
      ASSERT_EQ(Text(frame), "hello world");
    }
  }
}

TEST(WireTest, FieldsComeInAnyOrderAndUnknownOnesAreSkipped) {
  const std::string header = Header().SerializeAsString();
  const std::string header_field = Field(1, 2, static_cast<char>(header.size()) + header);
  const std::string payload_field = Field(15, 2, "\4data");
  const std::string unknown =
      Field(2, 0, "\xff\xff\x01") + Field(3, 1, "12345678") + Field(4, 2, "\3abc") +
      Field(5, 5, "1234") + Field(6, 3, Field(7, 3, Field(7, 4, "")) + Field(6, 4, "")) +
      // The header's and the payload's numbers with other types are unknown fields too.
      Field(1, 0, "\1") + Field(15, 5, "1234");
  const std::string bytes = unknown + payload_field + unknown + header_field + unknown;
  WireFrame frame;
  ASSERT_TRUE(ParseWhole(bytes, &frame).ok());
  EXPECT_EQ(frame.header.SerializeAsString(), header);
  EXPECT_EQ(Text(frame), "data");
}

TEST(WireTest, MalformedBytesAreInvalidArguments) {
  const std::string header = Field(1, 2, std::string(1, '\0'));
  const std::string bad[] = {
      std::string(1, '\0'),                       // field number 0
      "\xff",                                     // cut tag
      Field(15, 2, "\5data"),                     // longer than the message
      Field(15, 2, "\xff\xff\xff\xff\xff\x01"),   // length of six bytes
      Field(15, 2, "\xff\xff\xff\xff\x7f"),       // length of 35 bits
      Field(15, 2, "\1a") + Field(15, 2, "\1a"),  // second payload
      header + header,                            // second header
      Field(1, 2, "\1\xff"),                      // header that is no ShardHeader
      Field(2, 0, std::string(11, '\xff')),       // varint that does not end
      Field(2, 0, "\x80"),                        // cut varint
      Field(2, 1, "1234567"),                     // cut fixed64
      Field(2, 5, "123"),                         // cut fixed32
      Field(2, 2, "\4abc"),                       // cut bytes
      Field(2, 6, ""),                            // no such wire type
      Field(2, 4, ""),                            // end of no group
      Field(2, 3, ""),                            // group that does not end
      Field(2, 3, Field(3, 4, "")),               // group that ends as another
      std::string(200, Field(2, 3, "")[0]) + std::string(200, Field(2, 4, "")[0]),  // too deep
  };
  for (const std::string& bytes : bad) {
    EXPECT_EQ(CodeOf(bytes), absl::StatusCode::kInvalidArgument) << testing::PrintToString(bytes);
  }
}

TEST(WireTest, AHeaderThatIsTooLargeIsAnInvalidArgument) {
  v1::ShardHeader header = Header();
  header.set_detail(std::string(kMaxHeaderBytes, 'x'));
  EXPECT_EQ(CodeOf(EncodeFramePrefix(header, 0)), absl::StatusCode::kInvalidArgument);
}

TEST(WireTest, APayloadThatIsTooLargeLeavesTheHeaderForTheAnswer) {
  const std::string payload(kMaxPayloadBytes, 'x');
  EXPECT_EQ(CodeOf(EncodeFramePrefix(Header(), payload.size()) + payload), absl::StatusCode::kOk);

  const std::string bytes = EncodeFramePrefix(Header(), payload.size() + 1) + payload + "x";
  WireFrame frame;
  EXPECT_EQ(ParseWhole(bytes, &frame).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(frame.header.SerializeAsString(), Header().SerializeAsString());
}

TEST(WireTest, ATruncationIsRefusedUnlessItFallsBetweenFields) {
  const std::string prefix = EncodeFramePrefix(Header(), 4);
  const std::string bytes = prefix + "data";
  const size_t end_of_header = prefix.size() - 2;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const bool whole_fields = size == 0 || size == end_of_header;
    EXPECT_EQ(CodeOf(bytes.substr(0, size)) == absl::StatusCode::kOk, whole_fields) << size;
  }
}

// Whatever is accepted, protobuf accepts too, and reads the same.
TEST(WireTest, MutatedFramesAreReadAsProtobufReadsThemOrRefused) {
  Random random(20240229);
  const std::string original = EncodeFramePrefix(Header(), 12) + "twelve bytes" +
                               Field(4, 2, "\3abc") + Field(6, 3, Field(6, 4, ""));
  int accepted = 0;
  for (int round = 0; round < 200000; ++round) {
    std::string bytes = original;
    const uint64_t edits = 1 + random.UniformInt(4);
    for (uint64_t edit = 0; edit < edits && !bytes.empty(); ++edit) {
      const size_t at = random.UniformInt(bytes.size());
      switch (random.UniformInt(5)) {
        case 0: bytes[at] = static_cast<char>(random.Next()); break;
        case 1: bytes[at] ^= static_cast<char>(1 << random.UniformInt(8)); break;
        case 2: bytes.erase(at, 1 + random.UniformInt(4)); break;
        case 3: bytes.insert(at, 1, static_cast<char>(random.Next())); break;
        case 4: bytes.insert(at, bytes.substr(random.UniformInt(bytes.size()), 16)); break;
      }
    }
    const absl::string_view all = bytes;
    const size_t cut = random.UniformInt(bytes.size() + 1);
    const absl::string_view slices[] = {all.substr(0, cut), all.substr(cut)};
    WireFrame frame;
    if (!ParseFrame(slices, &frame).ok()) continue;
    ++accepted;
    v1::ShardFrame message;
    ASSERT_TRUE(message.ParseFromString(bytes)) << testing::PrintToString(bytes);
    ASSERT_EQ(message.header().SerializeAsString(), frame.header.SerializeAsString());
    ASSERT_EQ(message.payload(), Text(frame));
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace starling
