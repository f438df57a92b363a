#include "peer/gossip/codec_choice.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "peer/gossip/elastic_mix.h"
#include "peer/gossip/pull_mix.h"
#include "peer/gossip/push_mix.h"

namespace starling {
namespace {

using testing::HasSubstr;

Algorithm With(std::shared_ptr<const MixRule> mix) {
  Algorithm algorithm;
  algorithm.name = "this";
  algorithm.mix = std::move(mix);
  return algorithm;
}

absl::Status Check(const Algorithm& algorithm, absl::string_view request,
                   absl::string_view reply) {
  const auto choice = MakeCodecChoice(request, reply);
  EXPECT_TRUE(choice.ok()) << choice.status();
  return CheckCodecs(algorithm, *choice);
}

TEST(CodecChoiceTest, ComplaintsNameTheFlag) {
  EXPECT_EQ(MakeCodecChoice("fp23", "fp32").status().message(),
            "--request_codec: unknown codec \"fp23\"; did you mean \"fp32\"? Known: fp32, fp16, "
            "bf16, int8, qsgd, dqsgd, topk, randk");
  EXPECT_THAT(std::string(MakeCodecChoice("fp32", "topk:share=2").status().message()),
              HasSubstr("--reply_codec: option \"share\""));
}

TEST(CodecChoiceTest, CoarseRequestsAreRefusedWithTheRemedy) {
  for (const CodecRow& row : CodecRegistry()) {
    const auto choice = MakeCodecChoice(row.name, "fp32");
    const bool fine = row.name == "fp32" || row.name == "fp16" || row.name == "bf16";
    EXPECT_EQ(choice.ok(), fine) << row.name;
    if (!fine) {
      EXPECT_THAT(std::string(choice.status().message()), HasSubstr("use fp32, fp16 or bf16"));
      EXPECT_EQ(choice.status().message().find('\n'), absl::string_view::npos);
    }
  }
}

TEST(CodecChoiceTest, DifferencesMayGoThroughAnyCodec) {
  for (const CodecRow& row : CodecRegistry()) {
    EXPECT_TRUE(Check(With(MakeElasticMix(0.5)), "bf16", row.name).ok());
    EXPECT_TRUE(Check(With(MakePushMix()), "bf16", row.name).ok());
  }
}

TEST(CodecChoiceTest, RepliesThatCarryParametersMustNotBeCoarse) {
  EXPECT_TRUE(Check(With(MakePullMix()), "fp32", "bf16").ok());
  EXPECT_THAT(std::string(Check(With(MakePullMix()), "fp32", "int8").message()),
              HasSubstr("--reply_codec=int8: the replies of algorithm \"this\" carry parameters"));
}

TEST(CodecChoiceTest, WhereNobodyExchangesThereIsNothingToEncode) {
  EXPECT_TRUE(Check(With(nullptr), "fp32", "fp32").ok());
  EXPECT_THAT(std::string(Check(With(nullptr), "fp32", "int8").message()),
              HasSubstr("makes no exchanges between pairs"));
}

}  // namespace
}  // namespace starling
