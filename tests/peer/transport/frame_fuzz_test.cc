// What arrives may be anything: mutated frames through the parser, inspection and every decoder.
//
// STARLING_FUZZ_FRAMES says how many; the default is for every day. Ten million under sanitizers:
//
//   STARLING_FUZZ_FRAMES=10000000 bazel test --config=asan-ubsan --test_env=STARLING_FUZZ_FRAMES
//     //tests/peer/transport:frame_fuzz_test
//
// Buffers are exactly as long as what they hold, so that a sanitizer sees every byte too far.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/runtime/random.h"
#include "peer/transport/frame.h"
#include "peer/transport/wire.h"

namespace starling {
namespace {

// Whole messages as peers send them: every codec, several lengths, kinds that it may and may not be
// used for.
std::vector<std::string> ValidMessages(Random& random) {
  std::vector<std::string> messages;
  for (const CodecRow& row : CodecRegistry()) {
    const auto codec = *MakeCodec(row.name);
    for (const size_t elements : {1, 5, 300, 513, 2048, 2500}) {
      for (const v1::FrameKind kind : {v1::FRAME_KIND_MIX_REPLY, v1::FRAME_KIND_MIX_REQUEST,
                                       v1::FRAME_KIND_REDUCE, v1::FRAME_KIND_SETTLE}) {
        std::vector<float> values(elements);
        for (float& value : values) value = static_cast<float>(random.Normal());
        std::string payload(codec->MaxBytes(elements), '\0');
        payload.resize(EncodePayload(*codec, values, random.Next(), nullptr, payload.data()));
        v1::ShardHeader header;
        header.set_kind(kind);
        header.set_codec(codec->wire());
        header.set_elements(static_cast<uint32_t>(elements));
        header.set_sender(random.Next());
        header.set_shard_count(3);
        header.add_contributors(random.Next());
        messages.push_back(EncodeFramePrefix(header, payload.size()) + payload);
      }
    }
  }
  return messages;
}

void Mutate(Random& random, std::string& bytes) {
  // Half of the time the framing stays whole, so that what lies behind it is reached.
  if (bytes.size() > 80 && random.Bernoulli(0.5)) {
    for (uint64_t i = random.UniformInt(8); i > 0; --i) {
      const size_t reach = random.Bernoulli(0.5) ? std::min<size_t>(bytes.size(), 160) : bytes.size();
      bytes[70 + random.UniformInt(reach - 70)] = static_cast<char>(random.Next());
    }
    return;
  }
  for (uint64_t i = random.UniformInt(6); i > 0 && !bytes.empty(); --i) {
    // Headers and the beginnings of payloads decide most.
    const size_t reach = random.Bernoulli(0.6) ? std::min<size_t>(bytes.size(), 64) : bytes.size();
    const size_t at = random.UniformInt(reach);
    switch (random.UniformInt(4)) {
      case 0:
        bytes[at] = static_cast<char>(random.Next());
        break;
      case 1:
        bytes[at] ^= static_cast<char>(1 << random.UniformInt(8));
        break;
      case 2:
        bytes.erase(at, 1 + random.UniformInt(8));
        break;
      default:
        bytes.insert(at, 1 + random.UniformInt(8), static_cast<char>(random.Next()));
    }
  }
  if (random.Bernoulli(0.1)) bytes.resize(random.UniformInt(bytes.size() + 1));
}

struct Counts {
  uint64_t parsed = 0;
  uint64_t accepted = 0;
  std::map<v1::Codec, uint64_t> decoded;
};

void Swallow(Random& random, const std::string& message, Counts& counts) {
  const std::unique_ptr<char[]> exact(new char[message.size()]);
  std::memcpy(exact.get(), message.data(), message.size());
  std::vector<absl::string_view> slices;
  for (size_t at = 0; at < message.size();) {
    const size_t length = random.Bernoulli(0.5) ? message.size() - at
                                                : 1 + random.UniformInt(message.size() - at);
    slices.emplace_back(exact.get() + at, length);
    at += length;
  }
  WireFrame wire;
  if (!ParseFrame(slices, &wire).ok()) return;
  ++counts.parsed;
  ASSERT_LE(wire.payload_size, message.size());
  auto payload = std::shared_ptr<char[]>(new char[wire.payload_size]);
  size_t at = 0;
  for (absl::string_view piece : wire.payload) {
    std::memcpy(payload.get() + at, piece.data(), piece.size());
    at += piece.size();
  }
  const char* const data = payload.get();
  Frame frame{std::move(wire.header), SharedBytes(std::move(payload), data, wire.payload_size)};
  // Whoever means harm hashes what he sends.
  if (random.Bernoulli(0.95)) frame.header.set_payload_hash(HashPayload(frame.payload));
  if (InspectFrame(frame)) return;
  ++counts.accepted;
  if (frame.payload.empty()) return;
  const std::unique_ptr<float[]> values(new float[frame.header.elements()]);
  const absl::Status decoded =
      DecodePayload(*FindDecoder(frame.header.codec()),
                    {frame.payload.data(), frame.payload.size()},
                    absl::MakeSpan(values.get(), frame.header.elements()));
  ASSERT_TRUE(decoded.ok()) << decoded;
  for (size_t i = 0; i < frame.header.elements(); ++i) ASSERT_TRUE(std::isfinite(values[i]));
  ++counts.decoded[frame.header.codec()];
}

TEST(FrameFuzzTest, NoFrameDoesHarm) {
  const char* const asked = std::getenv("STARLING_FUZZ_FRAMES");
  const int64_t frames = asked == nullptr ? 100'000 : std::atoll(asked);
  Random random(20240607);
  const std::vector<std::string> messages = ValidMessages(random);
  Counts counts;
  for (int64_t frame = 0; frame < frames; ++frame) {
    std::string message = messages[random.UniformInt(messages.size())];
    Mutate(random, message);
    Swallow(random, message, counts);
    if (testing::Test::HasFatalFailure()) return;
  }
  std::printf("%lld frames: %llu parsed, %llu accepted\n", static_cast<long long>(frames),
              static_cast<unsigned long long>(counts.parsed),
              static_cast<unsigned long long>(counts.accepted));
  // Enough got through to every decoder for the test to mean something.
  for (const CodecRow& row : CodecRegistry()) {
    EXPECT_GT(counts.decoded[row.wire], frames / 1000) << row.name;
  }
}

}  // namespace
}  // namespace starling
