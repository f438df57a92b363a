// What arrives may be anything: mutated frames, and what they say to a process of the same host, through the
// parser, inspection, every decoder, and an end that copies.
//
// STARLING_FUZZ_FRAMES says how many; the default is for every day. Ten million under sanitizers:
//
//   STARLING_FUZZ_FRAMES=10000000 bazel test --config=asan-ubsan --test_env=STARLING_FUZZ_FRAMES
//     //tests/peer/transport:frame_fuzz_test
//
// Buffers are exactly as long as what they hold, so that a sanitizer sees every byte too far.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/runtime/random.h"
#include "peer/transport/frame.h"
#include "peer/transport/same_host_path.h"
#include "peer/transport/wire.h"

namespace starling {
namespace {

v1::SameHost SomeWord(Random& random) {
  static const std::string& host = *new std::string(SameHostPath(1).Propose().value_or(v1::SameHost()).host());
  v1::SameHost word;
  if (random.Bernoulli(0.5)) word.set_host(host);
  if (random.Bernoulli(0.5)) word.set_challenge(random.Next());
  if (random.Bernoulli(0.5)) word.set_process(static_cast<int32_t>(getpid()));
  if (random.Bernoulli(0.5)) word.set_shown_at(random.Next());
  word.set_accepted(random.Bernoulli(0.5));
  word.set_declined(random.Bernoulli(0.2));
  if (random.Bernoulli(0.5)) word.set_payload_at(random.Next());
  if (random.Bernoulli(0.5)) word.set_payload_bytes(1 + random.UniformInt(4096));
  if (random.Bernoulli(0.5)) word.set_ticket_at(random.Next());
  word.set_fetched(random.UniformInt(5));
  return word;
}

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
        const v1::SameHost word = SomeWord(random);
        const bool speaks = random.Bernoulli(0.2);
        messages.push_back(EncodeFramePrefix(header, payload.size(), speaks ? &word : nullptr) +
                           payload);
      }
    }
    messages.push_back(EncodeWord(SomeWord(random)));
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
  uint64_t words = 0;
  uint64_t answers = 0;
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
  if (wire.word) {
    ++counts.words;
    SameHostPath path(random.Next());
    size_t released = 0;
    counts.answers += path.OnWord(*wire.word, &released).has_value();
    EXPECT_EQ(released, 0) << "nothing is kept";
    EXPECT_FALSE(path.Takes(size_t{1} << 20) && !wire.word->accepted());
    wire.word->set_payload_bytes(std::min<uint32_t>(wire.word->payload_bytes(), 4096));
    std::vector<char> into(wire.word->payload_bytes());
    EXPECT_FALSE(SameHostPath::Fetch(path.process(), *wire.word, absl::MakeSpan(into)).ok());
  }
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
  google::protobuf::SetLogHandler(nullptr);  // it has a line for each text that is not UTF-8
  Random random(20240607);
  const std::vector<std::string> messages = ValidMessages(random);
  Counts counts;
  for (int64_t frame = 0; frame < frames; ++frame) {
    std::string message = messages[random.UniformInt(messages.size())];
    Mutate(random, message);
    Swallow(random, message, counts);
    if (testing::Test::HasFatalFailure()) return;
  }
  std::printf("%lld frames: %llu parsed, %llu accepted; %llu words, %llu answered\n",
              static_cast<long long>(frames), static_cast<unsigned long long>(counts.parsed),
              static_cast<unsigned long long>(counts.accepted),
              static_cast<unsigned long long>(counts.words),
              static_cast<unsigned long long>(counts.answers));
  EXPECT_GT(counts.words, frames / 100);
  EXPECT_GT(counts.answers, frames / 1000);
  // Enough got through to every decoder for the test to mean something.
  for (const CodecRow& row : CodecRegistry()) {
    EXPECT_GT(counts.decoded[row.wire], frames / 1000) << row.name;
  }
}

}  // namespace
}  // namespace starling
