#include "peer/codec/registry.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "peer/codec/payload.h"
#include "xxhash.h"

namespace starling {
namespace {

using testing::HasSubstr;

std::string ErrorOf(absl::string_view spec) {
  const auto made = MakeCodec(spec);
  EXPECT_TRUE(absl::IsInvalidArgument(made.status())) << spec;
  return std::string(made.status().message());
}

TEST(CodecRegistryTest, NamesAndWireNamesAreDistinct) {
  std::set<absl::string_view> names;
  std::set<v1::Codec> wires;
  for (const CodecRow& row : CodecRegistry()) {
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_TRUE(wires.insert(row.wire).second);
    EXPECT_NE(row.wire, v1::CODEC_UNSPECIFIED);
    EXPECT_FALSE(row.summary.empty());
  }
}

TEST(CodecRegistryTest, EveryWireNameHasADecoderAndNothingElseHas) {
  for (int wire = 1; wire < v1::Codec_ARRAYSIZE; ++wire) {
    EXPECT_NE(FindDecoder(static_cast<v1::Codec>(wire)), nullptr) << wire;
  }
  EXPECT_EQ(FindDecoder(v1::CODEC_UNSPECIFIED), nullptr);
  EXPECT_EQ(FindDecoder(static_cast<v1::Codec>(99)), nullptr);
}

TEST(CodecRegistryTest, UnknownNamesAreAnsweredWithTheNearest) {
  EXPECT_THAT(ErrorOf("in8"), HasSubstr("did you mean \"int8\"?"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("known: fp32, fp16, bf16"));
  EXPECT_THAT(ErrorOf("qsgd:bit=3"), HasSubstr("did you mean \"bits\"?"));
  EXPECT_THAT(ErrorOf("bf16:bits=3"), HasSubstr("has no options"));
}

TEST(CodecRegistryTest, ValuesOutOfRangeAreToldTheirRange) {
  EXPECT_THAT(ErrorOf("qsgd:bits=9"), HasSubstr("a whole number in [3, 8]"));
  EXPECT_THAT(ErrorOf("qsgd:bits=3.5"), HasSubstr("a whole number in [3, 8]"));
  EXPECT_THAT(ErrorOf("topk:share=0"), HasSubstr("[0.0001, 0.5]"));
  EXPECT_THAT(ErrorOf("topk:share=nan"), HasSubstr("\"nan\""));
  EXPECT_THAT(ErrorOf("topk:share=1/0"), HasSubstr("\"1/0\""));
  EXPECT_THAT(ErrorOf("topk:share="), HasSubstr("\"share\""));
  EXPECT_THAT(ErrorOf("topk:"), HasSubstr("topk"));
}

TEST(CodecRegistryTest, ValuesMayBeFractions) {
  const auto codec = MakeCodec("topk:share=1/8");
  ASSERT_TRUE(codec.ok());
  EXPECT_EQ((*codec)->MaxTileBytes(2048), 2 + 256 * 6);
}

std::vector<float> ThousandsOfValues() {
  std::vector<float> values(3000);
  uint32_t x = 12345;
  for (float& value : values) {
    x = x * 1664525 + 1013904223;
    value = static_cast<float>(static_cast<int32_t>(x >> 8) - (1 << 23)) / (1 << 20);
  }
  return values;
}

std::string Encode(absl::string_view spec, const std::vector<float>& values) {
  const auto codec = *MakeCodec(spec);
  std::string bytes(codec->MaxBytes(values.size()), '\0');
  bytes.resize(EncodePayload(*codec, values, 99, nullptr, bytes.data()));
  return bytes;
}

TEST(CodecFormatTest, NumbersOfHalfWidthAreLittleEndian) {
  EXPECT_EQ(Encode("bf16", {1, -2.5}), std::string("\x80\x3f\x20\xc0", 4));
  EXPECT_EQ(Encode("fp16", {1, -2.5}), std::string("\x00\x3c\x00\xc1", 4));
}

TEST(CodecFormatTest, AnInt8BlockIsItsScaleAndItsBytes) {
  EXPECT_EQ(Encode("int8", {127, -1, 0.4}), std::string("\x00\x00\x80\x3f\x7f\xff\x00", 7));
}

TEST(CodecFormatTest, QsgdPacksSignsAndLevelsFromTheLowestBit) {
  // Three bits: a norm of 2, then 011, 111, 000, 011 and 011.
  EXPECT_EQ(Encode("qsgd:bits=3", {2, -2, 0, 2, 2}),
            std::string("\x03\x00\x00\x00\x40\x3b\x36", 7));
}

TEST(CodecFormatTest, TopkNamesPlacesInOrder) {
  EXPECT_EQ(Encode("topk:share=0.5", {0, 3, 1, -4}),
            std::string("\x02\x00\x01\x00\x03\x00\x00\x00\x40\x40\x00\x00\x80\xc0", 14));
}

// What other machines write and read, for ever. The values need no rounding to compute.
TEST(CodecFormatTest, BytesAreThoseThatEveryMachineWrites) {
  const std::map<std::string, uint64_t> expected = {
      {"fp32", 2978276844403586117u},
      {"fp16", 208237571010113864u},
      {"bf16", 3466522174942907725u},
      {"int8", 7954391728923338899u},
      {"int8:stochastic=1", 4399499806367635637u},
      {"qsgd:bits=4", 17468397944629438134u},
      {"dqsgd:bits=4", 14725401095295533869u},
      {"topk:share=0.01", 9518199021952367816u},
      {"randk:share=0.1", 6351098036102501608u},
  };
  for (const auto& [spec, hash] : expected) {
    const std::string bytes = Encode(spec, ThousandsOfValues());
    EXPECT_EQ(XXH3_64bits(bytes.data(), bytes.size()), hash) << spec;
  }
}

}  // namespace
}  // namespace starling
