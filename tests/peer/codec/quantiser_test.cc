// What the papers say of qsgd and dqsgd, beyond what every codec promises.

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

std::vector<float> Gaussian(size_t count, double scale, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(scale * random.Normal());
  return values;
}

// Fractions of a step are as good as uniform when there are many steps; then f (1 - f) is 1/6 on
// average, and the error d / (6 s^2) N^2 over d numbers.
TEST(QsgdTest, VarianceIsThatOfThePaper) {
  const auto codec = *MakeCodec("qsgd:bits=8");
  const std::vector<float> sent = Gaussian(512, 1, 1);
  double norm = 0;
  for (const float value : sent) norm = std::max(norm, std::fabs(double{value}));
  double sum = 0;
  constexpr int kSeeds = 2000;
  std::vector<float> got(sent.size());
  std::string bytes(codec->MaxBytes(sent.size()), '\0');
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    bytes.resize(codec->MaxBytes(sent.size()));
    bytes.resize(EncodePayload(*codec, sent, seed, nullptr, bytes.data()));
    ASSERT_TRUE(DecodePayload(*codec, bytes, absl::MakeSpan(got)).ok());
    for (size_t i = 0; i < sent.size(); ++i) {
      sum += (double{got[i]} - sent[i]) * (double{got[i]} - sent[i]);
    }
  }
  const double expected = 512.0 / (6 * 127 * 127) * norm * norm;
  // One draw of 512 fractions is a sample itself.
  EXPECT_NEAR(sum / kSeeds / expected, 1, 0.06);
}

TEST(DqsgdTest, LargeDifferencesTakeMoreBitsThanSmallOnes) {
  const auto codec = *MakeCodec("dqsgd:bits=4");
  std::vector<float> values = Gaussian(2048, 1, 2);
  for (size_t i = 1024; i < 2048; ++i) values[i] *= 0.05f;
  std::string bytes(codec->MaxBytes(values.size()), '\0');
  bytes.resize(EncodePayload(*codec, values, 1, nullptr, bytes.data()));
  EXPECT_GT(bytes[0], 4);
  // The last bucket begins where it would with 3 bits a number.
  EXPECT_EQ(bytes[bytes.size() - (1 + 4 + 512 * 3 / 8)], 3);
}

TEST(DqsgdTest, AStreamOfPayloadsStaysWithinItsBudget) {
  const auto codec = *MakeCodec("dqsgd:bits=4");
  constexpr size_t kCount = 10000;
  const std::unique_ptr<CodecState> state = codec->NewState(kCount);
  std::string bytes(codec->MaxBytes(kCount), '\0');
  double spent = 0;
  constexpr int kPayloads = 200;
  for (int payload = 0; payload < kPayloads; ++payload) {
    // Differences shrink by a thousand in the course of the run.
    const double scale = std::pow(1e-3, payload / double{kPayloads});
    spent += 8.0 * static_cast<double>(EncodePayload(*codec, Gaussian(kCount, scale, payload),
                                                     static_cast<uint64_t>(payload), state.get(),
                                                     bytes.data()));
    EXPECT_LE(spent, 4.0 * kCount * (payload + 1.5) + 8.1 * kCount);
  }
  EXPECT_NEAR(spent / (kPayloads * kCount), 4, 0.1);
}

}  // namespace
}  // namespace starling
