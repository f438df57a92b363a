#include "peer/transport/limit_text.h"

#include <string>

#include "gtest/gtest.h"
#include "peer/runtime/byte_size.h"

namespace starling {
namespace {

TEST(LimitTextTest, AmountsAreReadAsPeopleWriteThem) {
  const struct {
    const char* text;
    uint64_t bytes;
  } cases[] = {{"0", 0},         {"1500", 1500},          {"500kB", 500'000}, {"500KB", 500'000},
               {"2.5 MB", 2'500'000}, {" 64MiB ", 64 << 20}, {"20Mbit", 2'500'000},
               {"20Mbit/s", 2'500'000}, {"1.5GB/s", 1'500'000'000}, {"8kbit", 1000}};
  for (const auto& [text, bytes] : cases) {
    const absl::StatusOr<uint64_t> read = ParseBytes(text, "s");
    ASSERT_TRUE(read.ok()) << text << ": " << read.status();
    EXPECT_EQ(*read, bytes) << text;
  }
}

TEST(LimitTextTest, WhatIsNoAmountOrMayMeanTwoIsRefused) {
  for (const char* text : {"", "kB", "-1", "1e3", "20Mb", "20mb", "5 kb", "1..5MB", "fast", "10Mbit/day",
                           "nan", "99999999999TB", "5MB/"}) {
    EXPECT_FALSE(ParseBytes(text, "s").ok()) << text;
  }
  EXPECT_TRUE(ParseBytes("2GB/day", "day").ok());
  EXPECT_EQ(ParseBytes("20Mb", "s").status().message(),
            "\"20Mb\" is no amount of bytes per second; write 500kB, 64MiB, or 20Mbit for bits; 0 for no "
            "limit");
}

TEST(LimitTextTest, OnlyWhatIsWrittenIsSet) {
  const absl::StatusOr<v1::LinkLimits> limits =
      ParseLimits("--", {.send = "20Mbit/s", .receive_per_day = "0"});
  ASSERT_TRUE(limits.ok()) << limits.status();
  EXPECT_EQ(limits->send(), 2'500'000);
  EXPECT_TRUE(limits->has_receive_per_day());
  EXPECT_FALSE(limits->has_receive());
  EXPECT_FALSE(limits->has_send_per_day());
}

TEST(LimitTextTest, TheFlagThatIsWrongIsNamed) {
  EXPECT_EQ(ParseLimits("--limit_", {.send_per_peer = "lots"}).status().message(),
            "--limit_send_per_peer=lots: \"lots\" is no amount of bytes per second; write 500kB, 64MiB, or "
            "20Mbit for bits; 0 for no limit");
  EXPECT_EQ(ParseLimits("--", {.send_per_day = "5B"}).status().message(),
            "--send_per_day=5B: limit send_per_day is 5 B; it must be 0, for none, or from 1 kB to 1 PB, such "
            "as 500kB or 20Mbit");
}

}  // namespace
}  // namespace starling
