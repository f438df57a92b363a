#include "peer/gossip/blockwise.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

void ExpectSumOfSquaresIsRight(size_t count) {
  Random random(count + 1);
  std::vector<float> values(count);
  std::vector<int> calls(count);
  double expected = 0;
  for (float& value : values) {
    value = static_cast<float>(random.Normal());
    expected += static_cast<double>(value) * value;
  }
  const double sum = SumBlockwise(count, [&](size_t i) {
    ++calls[i];
    return values[i] * values[i];
  });
  EXPECT_NEAR(sum, expected, 1e-5 * expected) << count;
  for (size_t i = 0; i < count; ++i) ASSERT_EQ(calls[i], 1) << i << " of " << count;
}

TEST(BlockwiseTest, EveryShortLengthIsSummedOnceOverEveryIndex) {
  for (size_t count = 0; count <= 100; ++count) ExpectSumOfSquaresIsRight(count);
}

TEST(BlockwiseTest, LengthsAroundABlockAndALongOddOneAreSummedToo) {
  for (const size_t count : {1008, 1023, 1024, 1025, 1039, 1040, 1041, 2048, 100003}) {
    ExpectSumOfSquaresIsRight(count);
  }
}

TEST(BlockwiseTest, NothingIsZero) {
  EXPECT_EQ(SumBlockwise(0, [](size_t) { return 1.0f; }), 0);
}

TEST(BlockwiseTest, LongSumsDoNotLoseSmallNumbers) {
  // A single float accumulator would stop growing at 2^24.
  const size_t count = size_t{1} << 25;
  EXPECT_EQ(SumBlockwise(count, [](size_t) { return 1.0f; }), static_cast<double>(count));
}

}  // namespace
}  // namespace starling
