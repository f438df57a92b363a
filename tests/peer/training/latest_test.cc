#include "peer/runtime/latest.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

class LatestTest : public ::testing::Test {
 protected:
  ManualExecutor executor_;
  std::vector<int> seen_;
  Latest<int> latest_{&executor_, [this](int value) { seen_.push_back(value); }};
};

TEST_F(LatestTest, AValueIsDeliveredOnTheReadersExecutorAndNotInsidePut) {
  latest_.Put(1);
  EXPECT_TRUE(seen_.empty());
  executor_.RunPosted();
  EXPECT_EQ(seen_, std::vector<int>{1});
  executor_.RunPosted();
  EXPECT_EQ(seen_.size(), 1);
}

TEST_F(LatestTest, OfManyValuesTheLastIsDeliveredOnce) {
  for (int i = 1; i <= 100; ++i) latest_.Put(i);
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_FALSE(executor_.RunOne());  // never more than one delivery under way
  EXPECT_EQ(seen_, std::vector<int>{100});
}

TEST_F(LatestTest, AValuePutAfterADeliveryIsDeliveredNext) {
  latest_.Put(1);
  executor_.RunPosted();
  latest_.Put(2);
  latest_.Put(3);
  executor_.RunPosted();
  EXPECT_EQ(seen_, (std::vector<int>{1, 3}));
}

TEST_F(LatestTest, AValuePutByTheHandlerIsDeliveredAfterwards) {
  Latest<int>* again = nullptr;
  Latest<int> chain(&executor_, [&](int value) {
    seen_.push_back(value);
    if (value < 3) again->Put(value + 1);
  });
  again = &chain;
  chain.Put(1);
  executor_.RunPosted();
  EXPECT_EQ(seen_, (std::vector<int>{1, 2, 3}));
}

TEST_F(LatestTest, ADeliveryUnderWaySurvivesTheSlot) {
  {
    Latest<std::unique_ptr<int>> short_lived(
        &executor_, [this](std::unique_ptr<int> value) { seen_.push_back(*value); });
    short_lived.Put(std::make_unique<int>(7));
  }
  executor_.RunPosted();
  EXPECT_EQ(seen_, std::vector<int>{7});
}

}  // namespace
}  // namespace starling
