#include "peer/gossip/data_gate.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "peer/codec/codec.h"
#include "peer/codec/payload.h"
#include "peer/codec/peak.h"
#include "peer/codec/registry.h"
#include "peer/runtime/random.h"
#include "tests/peer/gossip/fake_parameter_owner.h"

namespace starling {
namespace {

constexpr size_t kShard = 5000;  // of two tiles and a part

float Normal(Random& random) {
  return static_cast<float>(std::sqrt(-2 * std::log(1 - random.Uniform())) *
                            std::cos(6.283185307 * random.Uniform()));
}

std::vector<float> Draw(uint64_t seed, double scale, size_t count = kShard) {
  Random random(seed);
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(scale) * Normal(random));
  return values;
}

std::vector<float> Times(std::vector<float> values, float factor) {
  for (float& value : values) value *= factor;
  return values;
}

CodedBytes Encode(const Codec& codec, const std::vector<float>& values) {
  std::string bytes(codec.MaxBytes(values.size()), '\0');
  bytes.resize(EncodePayload(codec, values, 7, nullptr, bytes.data()));
  return {HoldBytes(std::move(bytes)), codec.wire()};
}

// What a peer with these parameters, in one shard, says to a contribution.
absl::optional<std::string> Judge(const std::vector<float>& own, const CodedBytes& incoming) {
  DataGate gate(0, DataGateOptions());
  return gate.Judge(own, 0, own.size(), incoming);
}
absl::optional<std::string> Judge(const std::vector<float>& own, const std::vector<float>& incoming) {
  return Judge(own, CodedBytes(BytesOf(incoming)));
}

TEST(MeasureTest, CountsEveryNumberOnceWhateverTheLength) {
  for (const size_t count : {1, 15, 16, 17, 2047, 2048, 2049, 5000}) {
    std::vector<float> values(count, 2);
    values.back() = -3;
    const Magnitude measured = Measure(values);
    EXPECT_EQ(measured.count, count);
    EXPECT_EQ(measured.squares, 4.0 * static_cast<double>(count - 1) + 9);
    EXPECT_EQ(measured.peak, 3);
    EXPECT_EQ(PeakOf(values), 3);
    EXPECT_TRUE(AllFinite(values));
  }
}

TEST(MeasureTest, WhatIsNotFiniteShowsWhereverItIs) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for (const float value : bad) {
    for (const size_t at : {0, 1, 2047, 2048, 4999}) {
      std::vector<float> values = Draw(1, 1);
      values[at] = value;
      EXPECT_FALSE(AllFinite(values)) << value << " at " << at;
      EXPECT_EQ(PeakOf(values), std::numeric_limits<float>::infinity());
      EXPECT_TRUE(OutOfScale(Measure(values), Measure(Draw(1, 1)), {})) << value << " at " << at;
    }
  }
}

TEST(DataGateTest, AMillionTimesTooLargeIsRefusedWithFigureAndLimit) {
  for (const double scale : {0.01, 0.05, 1.0, 300.0}) {
    const std::vector<float> own = Draw(1, scale);
    const auto refused = Judge(own, Times(Draw(2, scale), 1e6f));
    ASSERT_TRUE(refused) << scale;
    EXPECT_TRUE(absl::StrContains(*refused, "out of scale: the limit is")) << *refused;
  }
}

TEST(DataGateTest, OneNumberThatIsAMillionTimesTooLargeIsRefused) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::vector<float> own = Draw(seed, 0.05);
    std::vector<float> incoming = Draw(seed + 100, 0.05);
    Random random(seed);
    float& hit = incoming[random.UniformInt(incoming.size())];
    hit = std::copysign(std::max(std::fabs(hit), 0.001f), hit) * 1e6f;
    EXPECT_TRUE(Judge(own, incoming)) << seed << ": " << hit;
  }
}

TEST(DataGateTest, TheLargestFloatsAreRefusedThoughTheirSquaresOverflow) {
  const std::vector<float> huge(kShard, std::numeric_limits<float>::max());
  EXPECT_TRUE(Judge(Draw(1, 1), huge));
}

TEST(DataGateTest, AnUntrainedAndATrainedPeerMeet) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    const double scale = std::pow(10, 4 * random.Uniform() - 3);
    const std::vector<float> fresh = Draw(seed, scale);
    const std::vector<float> trained = Draw(seed + 1000, scale * (1 + 9 * random.Uniform()));
    EXPECT_FALSE(Judge(fresh, trained)) << seed;
    EXPECT_FALSE(Judge(trained, fresh)) << seed;
  }
}

TEST(DataGateTest, WhatBeginsAtZeroMeetsWhatHasGrown) {
  EXPECT_FALSE(Judge(std::vector<float>(kShard, 0), Draw(1, 1)));
  EXPECT_FALSE(Judge(Draw(1, 1), std::vector<float>(kShard, 0)));
}

TEST(DataGateTest, AShardOfZerosIsHeldToTheWholeVector) {
  // Weights of a hundred, and biases that are still zero.
  std::vector<float> own = Draw(1, 100, 40);
  for (size_t i = 32; i < 40; ++i) own[i] = 0;
  DataGate gate(16, DataGateOptions());
  const std::vector<float> biases(8, 500);
  EXPECT_FALSE(gate.Judge(own, 32, 8, BytesOf(biases)));
  EXPECT_TRUE(OutOfScale(Measure(biases), Measure(absl::MakeSpan(own).subspan(32)), {}))
      << "the shard alone would have refused it";
}

TEST(DataGateTest, TheScaleFollowsTheShardsAsTheyWereLastMeasured) {
  DataGate gate(16, DataGateOptions());
  std::vector<float> own = Draw(1, 1000, 32);
  const std::vector<float> incoming = Draw(3, 3000, 16);
  EXPECT_FALSE(gate.Judge(own, 0, 16, BytesOf(incoming)));
  own = Draw(2, 1, 32);
  EXPECT_FALSE(gate.Judge(own, 0, 16, BytesOf(incoming))) << "the other shard was large";
  EXPECT_TRUE(gate.Judge(own, 16, 16, BytesOf(incoming)));
  EXPECT_TRUE(gate.Judge(own, 0, 16, BytesOf(incoming)));
}

TEST(DataGateTest, AfterAReplacementTheScaleIsThatOfTheNewParameters) {
  DataGate gate(16, DataGateOptions());
  const std::vector<float> incoming = Draw(3, 3000, 16);
  EXPECT_FALSE(gate.Judge(Draw(1, 1000, 32), 0, 16, BytesOf(incoming)));
  gate.Forget();
  EXPECT_TRUE(gate.Judge(Draw(2, 1, 32), 0, 16, BytesOf(incoming)));
}

TEST(DataGateTest, DifferencesBetweenHonestPeersPassThroughEveryCodec) {
  for (const char* spec : {"fp32", "bf16", "fp16", "int8", "qsgd:bits=3", "qsgd:bits=8", "dqsgd:bits=4",
                           "topk:share=0.01", "randk:share=0.01", "randk:share=0.0001"}) {
    const auto codec = MakeCodec(spec);
    ASSERT_TRUE(codec.ok()) << codec.status();
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      // Ten times apart, which no two honest peers are.
      const std::vector<float> own = Draw(seed, 0.5);
      const std::vector<float> other = Draw(seed + 50, 5);
      std::vector<float> delta;
      for (size_t i = 0; i < own.size(); ++i) delta.push_back(0.5f * (other[i] - own[i]));
      EXPECT_FALSE(Judge(own, Encode(**codec, delta))) << spec << " seed " << seed;
    }
  }
}

TEST(DataGateTest, AMillionTimesTooLargeIsRefusedThroughEveryCodecThatCanSayIt) {
  for (const char* spec : {"fp32", "bf16", "int8", "qsgd:bits=4", "dqsgd:bits=4", "topk:share=0.01"}) {
    const auto codec = MakeCodec(spec);
    ASSERT_TRUE(codec.ok()) << codec.status();
    EXPECT_TRUE(Judge(Draw(1, 0.5), Encode(**codec, Times(Draw(2, 0.5), 1e6f)))) << spec;
  }
}

TEST(DataGateTest, ASignFlipPassesForItHasTheSameNorm) {
  EXPECT_FALSE(Judge(Draw(1, 1), Times(Draw(1, 1), -1)));
}

TEST(OutOfScaleTest, RoundsHaveMoreRoom) {
  const std::vector<float> own = Draw(1, 1);
  EXPECT_FALSE(OutOfScale(Times(own, 500), own));
  EXPECT_TRUE(OutOfScale(Times(own, 1e6f), own));
  EXPECT_TRUE(OutOfScale(std::vector<float>(8, 1e30f), std::vector<float>(8, 0)));
}

TEST(DataGateOptionsTest, NonsenseIsRefusedByName) {
  EXPECT_TRUE(DataGateOptions().Validate().ok());
  EXPECT_TRUE(absl::StrContains(DataGateOptions{.ratio = 1}.Validate().message(), "ratio"));
  EXPECT_TRUE(absl::StrContains(DataGateOptions{.ratio = NAN}.Validate().message(), "ratio"));
  EXPECT_TRUE(absl::StrContains(DataGateOptions{.slack = 0.5}.Validate().message(), "slack"));
  EXPECT_TRUE(absl::StrContains(DataGateOptions{.floor = 0}.Validate().message(), "floor"));
}

}  // namespace
}  // namespace starling
