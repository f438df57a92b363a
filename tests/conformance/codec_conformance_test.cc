// Every row of the codec registry keeps the contract of peer/codec/codec.h, with its default options
// and at the ends of their ranges. A new codec is tested here without a line of its own.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "peer/codec/bits.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

constexpr size_t kLengths[] = {1, 7, 511, 512, 513, 2047, 2048, 2049, 5000};

Values Gaussian(size_t count, double scale, uint64_t seed) {
  Random random(seed);
  Values values(count);
  for (float& value : values) value = static_cast<float>(scale * random.Normal());
  return values;
}

// Vectors of all sorts; finite.
std::vector<Values> Samples(size_t count) {
  std::vector<Values> samples;
  samples.push_back(Gaussian(count, 1, 1));
  samples.push_back(Gaussian(count, 1e-6, 2));
  samples.push_back(Gaussian(count, 1e20, 3));
  samples.push_back(Gaussian(count, 1e-42, 4));  // denormals
  samples.emplace_back(count, 0.0f);
  samples.emplace_back(count, -0.0f);
  samples.emplace_back(count, 3.3e38f);
  samples.emplace_back(count, 70000.0f);
  Values outlier = Gaussian(count, 1e-3, 5);
  outlier[count / 2] = -1000;
  samples.push_back(outlier);
  Values wide = Gaussian(count, 1, 6);
  for (size_t i = 0; i < count; ++i) wide[i] *= std::exp2(static_cast<float>(i % 60) - 30);
  samples.push_back(wide);
  Values halves(count);
  for (size_t i = 0; i < count; ++i) halves[i] = 0.5f * static_cast<float>(i % 256) - 64;
  samples.push_back(halves);
  return samples;
}

std::string Encode(const Codec& codec, const Values& values, uint64_t seed,
                   CodecState* state = nullptr) {
  std::string bytes(codec.MaxBytes(values.size()), '\x5a');
  const size_t size = EncodePayload(codec, values, seed, state, bytes.data());
  EXPECT_LE(size, bytes.size());
  bytes.resize(size);
  return bytes;
}

Values Decode(const Codec& codec, const std::string& bytes, size_t count) {
  Values values(count, NAN);
  EXPECT_TRUE(DecodePayload(codec, bytes, absl::MakeSpan(values)).ok());
  return values;
}

bool SameBits(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::vector<std::string> AllSpecs() {
  std::vector<std::string> specs;
  for (const CodecRow& row : CodecRegistry()) {
    specs.emplace_back(row.name);
    for (const CodecOptionSpec& option : row.options) {
      for (const double value : {option.minimum, option.maximum}) {
        specs.push_back(absl::StrCat(row.name, ":", option.name, "=", value));
      }
    }
  }
  return specs;
}

class CodecConformanceTest : public testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Codec> Make(Isa isa = BestIsa()) const {
    auto codec = MakeCodec(GetParam(), isa);
    EXPECT_TRUE(codec.ok()) << codec.status();
    return *codec;
  }
  const std::shared_ptr<const Codec> codec_ = Make();
};

TEST_P(CodecConformanceTest, IsCalledByItsSpecAndFoundByItsWireName) {
  EXPECT_EQ(codec_->spec(), GetParam());
  ASSERT_NE(FindDecoder(codec_->wire()), nullptr);
  EXPECT_EQ(FindDecoder(codec_->wire())->wire(), codec_->wire());
}

TEST_P(CodecConformanceTest, WhatArrivesIsAsNearAsDeclared) {
  for (const size_t length : kLengths) {
    for (const Values& sent : Samples(length)) {
      for (uint64_t seed = 0; seed < 3; ++seed) {
        // Whoever decodes does not know the options.
        const Values got = Decode(*FindDecoder(codec_->wire()), Encode(*codec_, sent, seed), length);
        if (codec_->contract().exact) {
          EXPECT_TRUE(SameBits(got, sent));
        }
        for (size_t begin = 0; begin < length; begin += kTileElements) {
          const auto tile = absl::MakeConstSpan(sent).subspan(begin, kTileElements);
          const double bound = codec_->ErrorBound(tile).largest * (1 + 1e-6);
          for (size_t i = 0; i < tile.size(); ++i) {
            ASSERT_LE(std::fabs(double{got[begin + i]} - tile[i]), bound)
                << "number " << begin + i << " of " << length << ": " << tile[i] << " became "
                << got[begin + i];
          }
        }
      }
    }
  }
}

TEST_P(CodecConformanceTest, SquaredErrorIsOnAverageAsSmallAsDeclared) {
  for (const Values& sent : Samples(1000)) {
    const double bound = codec_->ErrorBound(sent).expected_square;
    double sum = 0;
    constexpr int kSeeds = 200;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const Values got = Decode(*codec_, Encode(*codec_, sent, seed), sent.size());
      for (size_t i = 0; i < sent.size(); ++i) {
        sum += (double{got[i]} - sent[i]) * (double{got[i]} - sent[i]);
      }
      if (!codec_->contract().keyed) break;
    }
    const double mean = codec_->contract().keyed ? sum / kSeeds : sum;
    // An outlier that is sent or not makes for a wide spread.
    EXPECT_LE(mean, bound * 1.25) << "values like " << sent[0];
  }
}

TEST_P(CodecConformanceTest, MeanOverKeysIsTheNumberItself) {
  if (!codec_->contract().unbiased) return;
  const Values sent = Gaussian(600, 1, 11);
  const int keys = codec_->contract().keyed ? 4000 : 1;
  std::vector<double> sum(sent.size());
  for (int key = 0; key < keys; ++key) {
    const Values got = Decode(*codec_, Encode(*codec_, sent, static_cast<uint64_t>(key)), 600);
    for (size_t i = 0; i < sent.size(); ++i) sum[i] += got[i];
  }
  // Five standard deviations of the mean, and what 16 bits of randomness leave.
  const double step = codec_->ErrorBound(sent).largest;
  const double bound = step * (5 * 0.5 / std::sqrt(keys) + 1e-4);
  for (size_t i = 0; i < sent.size(); ++i) EXPECT_NEAR(sum[i] / keys, sent[i], bound) << i;
}

TEST_P(CodecConformanceTest, TakesNoMoreBytesThanDeclaredAndWritesNoneBeyond) {
  for (const size_t length : kLengths) {
    for (const Values& sent : Samples(length)) {
      const size_t most = codec_->MaxBytes(length);
      std::string bytes(most + 16, '\x5a');
      const size_t size = EncodePayload(*codec_, sent, 7, nullptr, bytes.data());
      EXPECT_LE(size, most);
      EXPECT_EQ(bytes.substr(most), std::string(16, '\x5a'));
    }
  }
}

TEST_P(CodecConformanceTest, NumbersOfFixedWidthDecodeInAnyRange) {
  const size_t width = codec_->contract().bytes_per_element;
  if (width == 0) return;  // numbers depend on each other
  const Values sent = Gaussian(5000, 1, 12);
  const std::string bytes = Encode(*codec_, sent, 0);
  ASSERT_EQ(bytes.size(), 5000 * width);
  const Values all = Decode(*codec_, bytes, 5000);
  const Values part = Decode(*codec_, bytes.substr(1001 * width, 2500 * width), 2500);
  EXPECT_TRUE(SameBits(part, Values(all.begin() + 1001, all.begin() + 3501)));
}

TEST_P(CodecConformanceTest, EveryVariantOfTheKernelsComputesTheSameBits) {
  for (const Isa isa : SupportedIsas()) {
    const std::shared_ptr<const Codec> variant = Make(isa);
    for (const size_t length : kLengths) {
      for (const Values& sent : Samples(length)) {
        const std::string bytes = Encode(*codec_, sent, 5);
        ASSERT_EQ(Encode(*variant, sent, 5), bytes) << IsaName(isa) << ", length " << length;
        ASSERT_TRUE(SameBits(Decode(*variant, bytes, length), Decode(*codec_, bytes, length)))
            << IsaName(isa) << ", length " << length;
      }
    }
  }
}

TEST_P(CodecConformanceTest, BytesDependOnTheKeyIfAndOnlyIfDeclared) {
  const Values sent = Gaussian(2048, 1, 13);
  EXPECT_EQ(Encode(*codec_, sent, 1), Encode(*codec_, sent, 1));
  EXPECT_EQ(Encode(*codec_, sent, 1) != Encode(*codec_, sent, 2), codec_->contract().keyed);
}

TEST_P(CodecConformanceTest, ZerosStayZeros) {
  const Values got = Decode(*codec_, Encode(*codec_, Values(3000, 0.0f), 3), 3000);
  for (const float value : got) ASSERT_EQ(value, 0);
}

TEST_P(CodecConformanceTest, NothingThatPassesInspectionIsNotFinite) {
  for (const float poison : {INFINITY, -INFINITY, NAN, FloatOf(0xff800001u)}) {
    for (const size_t place : {0, 600, 2999}) {
      Values sent = Gaussian(3000, 1, 14);
      sent[place] = poison;
      const std::string bytes = Encode(*codec_, sent, 3);
      if (InspectPayload(*codec_, bytes, 3000).ok()) {
        for (const float value : Decode(*codec_, bytes, 3000)) ASSERT_TRUE(std::isfinite(value));
      } else {
        EXPECT_TRUE(absl::IsOutOfRange(InspectPayload(*codec_, bytes, 3000).status()));
      }
    }
  }
  EXPECT_TRUE(InspectPayload(*codec_, Encode(*codec_, Gaussian(3000, 1, 15), 3), 3000).ok());
}

TEST_P(CodecConformanceTest, NoNumberExceedsThePeakThatInspectionFinds) {
  for (const float scale : {1e-20f, 1.0f, 1e20f}) {
    const std::string bytes = Encode(*codec_, Gaussian(3000, scale, 18), 3);
    const absl::StatusOr<float> peak = InspectPayload(*codec_, bytes, 3000);
    ASSERT_TRUE(peak.ok()) << peak.status();
    float largest = 0;
    for (const float value : Decode(*codec_, bytes, 3000)) {
      largest = std::max(largest, std::fabs(value));
    }
    EXPECT_LE(largest, *peak);
    EXPECT_GE(largest, 0.99f * *peak) << "no bound is worth much that is far off";
  }
}

TEST_P(CodecConformanceTest, PayloadsOfAnotherLengthAreRefused) {
  const Values sent = Gaussian(3000, 1, 16);
  const std::string bytes = Encode(*codec_, sent, 3);
  Values got(3000);
  for (const std::string& wrong :
       {bytes + 'x', bytes.substr(0, bytes.size() - 1), bytes.substr(0, 1), std::string()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(InspectPayload(*codec_, wrong, 3000).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(DecodePayload(*codec_, wrong, absl::MakeSpan(got))));
  }
}

// Buffers are exactly as long as the payload, so that a sanitizer sees every byte too far.
TEST_P(CodecConformanceTest, DecodersSurviveArbitraryBytes) {
  const char* const asked = std::getenv("STARLING_FUZZ_FRAMES");
  const int frames = asked == nullptr ? 2000 : std::atoi(asked);
  Random random(17);
  Values got(5000);
  for (int frame = 0; frame < frames; ++frame) {
    const size_t length = 1 + random.UniformInt(5000);
    std::string bytes = Encode(*codec_, Gaussian(length, 1, random.Next()), random.Next());
    for (uint64_t i = random.UniformInt(8); i > 0; --i) {
      bytes[random.UniformInt(bytes.size())] = static_cast<char>(random.Next());
    }
    if (random.Bernoulli(0.3)) bytes.resize(random.UniformInt(2 * bytes.size() + 1), 'x');
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::memcpy(exact.get(), bytes.data(), bytes.size());
    const absl::string_view view(exact.get(), bytes.size());
    const auto values = absl::MakeSpan(got).subspan(0, length);
    const absl::StatusOr<float> peak = InspectPayload(*codec_, view, length);
    const absl::Status inspected = peak.status();
    const absl::Status decoded = DecodePayload(*codec_, view, values);
    // A number that is not finite is told before what comes after it is looked at.
    if (absl::IsOutOfRange(inspected)) continue;
    ASSERT_EQ(decoded.ok(), inspected.ok()) << inspected;
    if (!inspected.ok()) continue;
    for (const float value : values) ASSERT_LE(std::fabs(value), *peak);
    ASSERT_TRUE(std::isfinite(*peak));
  }
}

TEST_P(CodecConformanceTest, WhatErrorFeedbackHoldsBackIsSentLater) {
  if (codec_->contract().state != CodecContract::State::kResidual) return;
  constexpr size_t kCount = 64;
  const std::unique_ptr<CodecState> state = codec_->NewState(kCount);
  std::vector<double> wanted(kCount), arrived(kCount);
  for (uint64_t payload = 0; payload < 2000; ++payload) {
    // After ten payloads there is nothing new to send.
    const Values sent = payload < 10 ? Gaussian(kCount, 1, payload) : Values(kCount, 0.0f);
    const Values got = Decode(*codec_, Encode(*codec_, sent, payload, state.get()), kCount);
    for (size_t i = 0; i < kCount; ++i) {
      wanted[i] += sent[i];
      arrived[i] += got[i];
    }
  }
  for (size_t i = 0; i < kCount; ++i) EXPECT_NEAR(arrived[i], wanted[i], 1e-5) << i;
}

TEST_P(CodecConformanceTest, NoStateIsMadeWhereNoneIsDeclared) {
  EXPECT_EQ(codec_->NewState(10) != nullptr,
            codec_->contract().state != CodecContract::State::kNone);
}

std::string TestName(const testing::TestParamInfo<std::string>& spec) {
  std::string name = spec.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllCodecs, CodecConformanceTest, testing::ValuesIn(AllSpecs()), TestName);

}  // namespace
}  // namespace starling
