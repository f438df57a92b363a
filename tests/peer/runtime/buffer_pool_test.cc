#include "peer/runtime/buffer_pool.h"

#include <cstdint>
#include <utility>

#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

TEST(BufferPoolTest, BuffersAreAlignedAndOfTheSizeAskedFor) {
  BufferPool pool(kMegabyte);
  for (size_t elements : {1, 7, 1000}) {
    MutableBuffer buffer = pool.Take(elements);
    EXPECT_EQ(buffer.floats().size(), elements);
    EXPECT_EQ(buffer.bytes(), elements * sizeof(float));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.floats().data()) % 64, 0);
  }
}

TEST(BufferPoolTest, AReturnedBufferIsUsedAgain) {
  BufferPool pool(kMegabyte);
  const float* memory;
  {
    MutableBuffer buffer = pool.Take(1000);
    memory = buffer.floats().data();
  }
  EXPECT_EQ(pool.idle_bytes(), 4000);
  EXPECT_EQ(pool.Take(1000).floats().data(), memory);
}

TEST(BufferPoolTest, ABufferReturnsWithItsLastReference) {
  BufferPool pool(kMegabyte);
  MutableBuffer buffer = pool.Take(10);
  buffer.floats()[3] = 2.5f;
  SharedBytes whole = std::move(buffer).Freeze();
  SharedBytes part = whole.Slice(12, 4);
  whole = SharedBytes();
  EXPECT_EQ(pool.idle_bytes(), 0);
  EXPECT_EQ(part.floats()[0], 2.5f);
  part = SharedBytes();
  EXPECT_EQ(pool.idle_bytes(), 40);
}

TEST(BufferPoolTest, BuffersMayOutliveThePool) {
  SharedBytes survivor;
  {
    BufferPool pool(kMegabyte);
    MutableBuffer buffer = pool.Take(10);
    buffer.floats()[0] = 1;
    survivor = std::move(buffer).Freeze();
  }
  EXPECT_EQ(survivor.floats()[0], 1);
}

TEST(BufferPoolTest, IdleMemoryIsLimited) {
  BufferPool pool(4000);
  {
    MutableBuffer one = pool.Take(600), two = pool.Take(600), large = pool.Take(1001);
  }
  EXPECT_EQ(pool.idle_bytes(), 2400);
}

TEST(BufferPoolTest, SizesNobodyTakesAnyMoreMakeRoom) {
  BufferPool pool(4000);
  for (size_t elements = 1; elements < 60; ++elements) pool.Take(elements);
  for (size_t elements = 800; elements < 900; ++elements) pool.Take(elements);
  const float* memory = pool.Take(1000).floats().data();
  EXPECT_EQ(pool.idle_bytes(), 4000);
  EXPECT_EQ(pool.Take(1000).floats().data(), memory);
}

}  // namespace
}  // namespace starling
