#include "peer/checkpoint/safetensors.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

const std::vector<TensorLayout> kTensors = {{"fc.weight", {2, 3}}, {"fc.bias", {2}}, {"scale", {}}};
constexpr uint64_t kDataBytes = 4 * (6 + 2 + 1);

std::string Prefix(uint64_t length) {
  std::string prefix;
  for (size_t i = 0; i < kSafetensorsPrefix; ++i) prefix.push_back(static_cast<char>(length >> (8 * i)));
  return prefix;
}

std::string WithPrefix(const std::string& json) { return Prefix(json.size()) + json; }

absl::StatusOr<SafetensorsHeader> Parse(const std::string& head, uint64_t data = kDataBytes) {
  return ParseSafetensorsHeader(head, head.size() + data);
}

TEST(SafetensorsTest, WhatIsWrittenIsRead) {
  const std::string head = MakeSafetensorsHeader(kTensors, {{"step", "12"}, {"format", "pt"}});
  EXPECT_EQ(head.size() % 8, 0u);
  const auto header = Parse(head);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->tensors, kTensors);
  EXPECT_EQ(header->metadata.at("step"), "12");
  EXPECT_EQ(header->data_offset, head.size());
  EXPECT_EQ(header->data_bytes, kDataBytes);
}

TEST(SafetensorsTest, AFileOfAnotherWriterIsRead) {
  // Tensors may stand in the header in another order than in the data.
  const auto header = Parse(WithPrefix(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                                       R"("a":{"shape":[2,1],"data_offsets":[0,8],"dtype":"F32"}}  )"),
                            12);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->tensors, (std::vector<TensorLayout>{{"a", {2, 1}}, {"b", {1}}}));
}

TEST(SafetensorsTest, WhatIsNoIntactFileIsRefused) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto object = [](const std::string& members) { return absl::StrCat("{", members, "}"); };
  for (const std::string& json : {
           std::string(),
           std::string("[]"),
           std::string("{"),
           object(a + "," + a),                                                   // a key twice
           object(a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]})"),    // overlap
           object(a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]})"),  // hole
           object(R"("a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
           object(R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]})"),
           object(R"("a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
           object(R"("a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"),
           object(R"("a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]})"),
           object(R"("a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]})"),
           object(R"("a":{"dtype":"F32","shape":[2]})"),
           object(R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1})"),
           object(R"("a":7)"),
           object(R"("__metadata__":{"step":12},)" + a),
           object(R"("__metadata__":7,)" + a),
       }) {
    const auto header = Parse(WithPrefix(json), 8);
    EXPECT_EQ(header.status().code(), absl::StatusCode::kDataLoss) << json;
  }
}

TEST(SafetensorsTest, ATruncatedFileIsRefused) {
  const std::string head = MakeSafetensorsHeader(kTensors, {});
  for (size_t bytes = 0; bytes < head.size(); ++bytes) {
    EXPECT_EQ(ParseSafetensorsHeader(absl::string_view(head).substr(0, bytes), bytes).status().code(),
              absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(Parse(head, kDataBytes - 1).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Parse(head, kDataBytes + 1).status().code(), absl::StatusCode::kDataLoss);
}

TEST(SafetensorsTest, AHeaderThatIsSaidToBeHugeIsRefusedBeforeItIsRead) {
  for (const uint64_t length : {kLongestSafetensorsHeader + 1, ~uint64_t{0}}) {
    EXPECT_FALSE(SafetensorsDataOffset(Prefix(length), uint64_t{1} << 62).ok());
  }
}

TEST(SafetensorsTest, AnotherElementTypeIsNamed) {
  const std::string head =
      absl::StrReplaceAll(MakeSafetensorsHeader(kTensors, {}), {{"F32", "F64"}});
  const auto header = Parse(head);
  EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(header.status().message(), "fc.weight"));
  EXPECT_TRUE(absl::StrContains(header.status().message(), "F64"));
}

TEST(SafetensorsTest, NoBytesCrashTheReader) {
  const std::string good = MakeSafetensorsHeader(kTensors, {{"step", "12"}});
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    for (uint64_t changes = 1 + random.UniformInt(4); changes > 0; --changes) {
      bad[random.UniformInt(bad.size())] = static_cast<char>(random.UniformInt(256));
    }
    bad.resize(random.UniformInt(4) == 0 ? random.UniformInt(bad.size()) : bad.size());
    const auto header = Parse(bad);
    if (header.ok()) {
      EXPECT_EQ(header->data_offset + header->data_bytes, bad.size() + kDataBytes);
    }
  }
}

}  // namespace
}  // namespace starling
