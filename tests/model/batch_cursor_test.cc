#include "model/batch_cursor.h"

#include <map>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

// One feature that is the example's own index.
class IndexDataset final : public Dataset {
 public:
  std::string name() const override { return "index"; }
  size_t size() const override { return 100; }
  size_t features() const override { return 1; }
  std::vector<int64_t> shape() const override { return {1}; }
  int classes() const override { return 0; }
  int64_t label(size_t) const override { return 0; }
  void Gather(absl::Span<const uint32_t> indices, Batch* batch) const override {
    batch->examples = indices.size();
    batch->features.assign(indices.begin(), indices.end());
  }
};

std::vector<float> Take(BatchCursor& cursor, int batches) {
  std::vector<float> taken;
  for (int i = 0; i < batches; ++i) {
    const Batch& batch = cursor.Next();
    taken.insert(taken.end(), batch.features.begin(), batch.features.end());
  }
  return taken;
}

TEST(BatchCursorTest, EachPassVisitsEveryExampleOfThePartOnce) {
  BatchCursor cursor(std::make_shared<IndexDataset>(), {5, 6, 7, 8, 9, 10, 11}, 3, Random(1));
  EXPECT_EQ(cursor.part_size(), 7u);
  EXPECT_EQ(cursor.batch_size(), 3u);
  const std::vector<float> taken = Take(cursor, 7);  // three passes
  for (size_t pass = 0; pass < 3; ++pass) {
    std::map<float, int> count;
    for (size_t i = 0; i < 7; ++i) ++count[taken[pass * 7 + i]];
    EXPECT_EQ(count.size(), 7u) << "pass " << pass;
    EXPECT_EQ(count.begin()->first, 5);
    EXPECT_EQ(count.rbegin()->first, 11);
  }
}

TEST(BatchCursorTest, PassesAreShuffledDifferentlyAndReproducibly) {
  std::vector<uint32_t> part;
  for (uint32_t i = 0; i < 50; ++i) part.push_back(i);
  BatchCursor one(std::make_shared<IndexDataset>(), part, 50, Random(1));
  BatchCursor same(std::make_shared<IndexDataset>(), part, 50, Random(1));
  BatchCursor other(std::make_shared<IndexDataset>(), part, 50, Random(2));
  const std::vector<float> first = Take(one, 1);
  EXPECT_EQ(first, Take(same, 1));
  EXPECT_NE(first, Take(other, 1));
  EXPECT_NE(first, Take(one, 1));
}

TEST(BatchCursorTest, BatchMayBeLargerThanThePart) {
  BatchCursor cursor(std::make_shared<IndexDataset>(), {3, 4}, 5, Random(1));
  std::map<float, int> count;
  for (float index : Take(cursor, 2)) ++count[index];
  EXPECT_EQ(count[3], 5);
  EXPECT_EQ(count[4], 5);
}

TEST(BatchCursorTest, AnotherPartBeginsWithTheNextBatch) {
  BatchCursor cursor(std::make_shared<IndexDataset>(), {1, 2, 3, 4, 5}, 2, Random(1));
  Take(cursor, 1);
  cursor.SetPart({60, 61, 62, 63});
  EXPECT_EQ(cursor.part_size(), 4u);
  std::map<float, int> count;
  for (float index : Take(cursor, 2)) ++count[index];
  EXPECT_EQ(count, (std::map<float, int>{{60, 1}, {61, 1}, {62, 1}, {63, 1}}));
  cursor.SetPart({7});  // shorter than what was read of the last
  EXPECT_EQ(Take(cursor, 2), (std::vector<float>{7, 7, 7, 7}));
}

TEST(BatchCursorTest, AnotherBatchSizeNeitherSkipsNorRepeatsAnExampleOfThePass) {
  BatchCursor cursor(std::make_shared<IndexDataset>(), {1, 2, 3, 4, 5, 6, 7}, 3, Random(1));
  std::vector<float> taken = Take(cursor, 1);
  cursor.SetBatchSize(2);
  EXPECT_EQ(cursor.batch_size(), 2u);
  for (float index : Take(cursor, 2)) taken.push_back(index);
  std::map<float, int> count;
  for (float index : taken) ++count[index];
  EXPECT_EQ(taken.size(), 7u);
  EXPECT_EQ(count.size(), 7u);
}

}  // namespace
}  // namespace starling
