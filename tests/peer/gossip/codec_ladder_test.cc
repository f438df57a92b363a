#include "peer/gossip/codec_ladder.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/codec/registry.h"

namespace starling {
namespace {

constexpr uint64_t kElements = 10'000;
const ShardMap kShards{kElements, 4096};

CodecLadder Ladder(const std::string& chosen, bool values = false) {
  return CodecLadder(*MakeCodec(chosen), values, kShards);
}

// What a ladder takes as less and less fits.
std::vector<std::string> Rungs(CodecLadder ladder) {
  std::vector<std::string> rungs = {ladder.codec()->spec()};
  while (ladder.Choose([&](uint64_t bytes) { return bytes < ladder.bytes(); })) {
    rungs.push_back(ladder.codec()->spec());
  }
  return rungs;
}

TEST(CodecLadderTest, EachRungIsSmallerThanTheOneBefore) {
  EXPECT_EQ(Rungs(Ladder("fp32")), (std::vector<std::string>{"fp32", "bf16", "int8", "qsgd:bits=4"}));
  EXPECT_EQ(Rungs(Ladder("fp16")), (std::vector<std::string>{"fp16", "int8", "qsgd:bits=4"}));
  EXPECT_EQ(Rungs(Ladder("qsgd:bits=3")), (std::vector<std::string>{"qsgd:bits=3"}));
  EXPECT_EQ(Rungs(Ladder("topk:share=0.01")), (std::vector<std::string>{"topk:share=0.01"}));
}

TEST(CodecLadderTest, ValuesTravelInNothingCoarserThanBf16) {
  EXPECT_EQ(Rungs(Ladder("fp32", true)), (std::vector<std::string>{"fp32", "bf16"}));
  EXPECT_EQ(Rungs(Ladder("bf16", true)), (std::vector<std::string>{"bf16"}));
}

TEST(CodecLadderTest, BytesAreThoseOfAllShards) {
  const CodecLadder ladder = Ladder("fp32");
  EXPECT_EQ(ladder.bytes(), 4 * kElements);
  EXPECT_EQ(ladder.most_bytes(), 4 * kElements);
  EXPECT_GT(ladder.least_bytes(), kElements / 2);
  EXPECT_LT(ladder.least_bytes(), kElements);
}

TEST(CodecLadderTest, CoarserComesAtOnceAndFinerAfterPatience) {
  CodecLadder ladder = Ladder("fp32");
  uint64_t room = 4 * kElements;
  const auto fits = [&](uint64_t bytes) { return bytes <= room; };
  EXPECT_TRUE(ladder.Choose(fits));
  EXPECT_FALSE(ladder.is_coarser());
  room = 2 * kElements;
  EXPECT_TRUE(ladder.Choose(fits));
  EXPECT_EQ(ladder.codec()->spec(), "bf16");
  EXPECT_EQ(ladder.finer_bytes(), 4 * kElements);
  room = 4 * kElements;
  for (size_t exchange = 0; exchange < CodecLadder::kPatience; ++exchange) {
    ASSERT_TRUE(ladder.Choose(fits));
    ASSERT_EQ(ladder.codec()->spec(), "bf16") << exchange;
  }
  EXPECT_TRUE(ladder.Choose(fits));
  EXPECT_EQ(ladder.codec()->spec(), "fp32");
}

TEST(CodecLadderTest, OneExchangeThatCouldNotHaveBeenFinerBeginsThePatienceAnew) {
  CodecLadder ladder = Ladder("fp32");
  uint64_t room = 2 * kElements;
  const auto fits = [&](uint64_t bytes) { return bytes <= room; };
  ASSERT_TRUE(ladder.Choose(fits));
  for (int round = 0; round < 5; ++round) {
    room = 4 * kElements;
    for (size_t i = 0; i < CodecLadder::kPatience; ++i) ASSERT_TRUE(ladder.Choose(fits));
    room = round % 2 == 0 ? 2 * kElements : 100;
    EXPECT_EQ(ladder.Choose(fits), round % 2 == 0);
    EXPECT_EQ(ladder.codec()->spec(), "bf16") << round;
  }
}

TEST(CodecLadderTest, ItComesUpRungByRungAndGoesDownAsFarAsNeeded) {
  CodecLadder ladder = Ladder("fp32");
  uint64_t room = kElements;
  const auto fits = [&](uint64_t bytes) { return bytes <= room; };
  ASSERT_TRUE(ladder.Choose(fits));
  EXPECT_EQ(ladder.codec()->spec(), "qsgd:bits=4");
  room = 4 * kElements;
  for (const char* next : {"int8", "bf16", "fp32"}) {
    for (size_t i = 0; i <= CodecLadder::kPatience; ++i) ASSERT_TRUE(ladder.Choose(fits));
    EXPECT_EQ(ladder.codec()->spec(), next);
  }
  room = 100;
  EXPECT_FALSE(ladder.Choose(fits));
  EXPECT_EQ(ladder.codec()->spec(), "fp32") << "what does not go is not written at all";
}

TEST(CodecLadderTest, WhatIsAskedForIsMetOrComeNearTo) {
  CodecLadder ladder = Ladder("fp32");
  EXPECT_EQ(ladder.AtMost(4096 * 4, 4096)->spec(), "fp32");
  EXPECT_EQ(ladder.AtMost(4096 * 2, 4096)->spec(), "bf16");
  EXPECT_EQ(ladder.AtMost(4096 * 2 - 1, 4096)->spec(), "int8");
  EXPECT_EQ(ladder.AtMost(1, 4096)->spec(), "qsgd:bits=4");
  ASSERT_TRUE(ladder.Choose([](uint64_t bytes) { return bytes <= 2 * kElements; }));
  EXPECT_EQ(ladder.AtMost(4096 * 4, 4096)->spec(), "bf16") << "never finer than may be sent";
}

TEST(CodecLadderTest, WithoutRungsEverythingFits) {
  CodecLadder ladder;
  EXPECT_TRUE(ladder.Choose([](uint64_t) { return false; }));
  EXPECT_EQ(ladder.bytes(), 0);
  EXPECT_EQ(ladder.least_bytes(), 0);
  EXPECT_FALSE(ladder.is_coarser());
}

}  // namespace
}  // namespace starling
