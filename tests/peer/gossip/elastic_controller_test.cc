#include "peer/gossip/elastic_controller.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

using Strategy = ElasticOptions::Strategy;

TEST(ElasticControllerTest, NothingHappensWhileTheNumberOfWorkersStays) {  // DM-T1
  for (const Strategy strategy : {Strategy::kNone, Strategy::kScaleRate, Strategy::kShareBatch}) {
    ElasticController controller({.strategy = strategy}, 4);
    for (const uint64_t step : {0, 10, 1000}) {
      controller.OnWorkers(step, 4);
      EXPECT_EQ(controller.RateScale(step), 1);
      for (size_t rank = 0; rank < 4; ++rank) EXPECT_EQ(controller.BatchOf(rank, 32), 32);
    }
  }
}

TEST(ElasticControllerTest, TwiceTheWorkersGetTwiceTheRateInAStraightLine) {  // DM-T2
  ElasticController controller({.strategy = Strategy::kScaleRate, .ramp = 100}, 4);
  controller.OnWorkers(50, 8);
  EXPECT_EQ(controller.RateScale(50), 1);
  EXPECT_EQ(controller.RateScale(75), 1.25);
  EXPECT_EQ(controller.RateScale(149), 1.99);
  EXPECT_EQ(controller.RateScale(150), 2);
  EXPECT_EQ(controller.RateScale(100000), 2);
  EXPECT_EQ(controller.BatchOf(7, 32), 32);
}

TEST(ElasticControllerTest, AChangeAmidARampStartsFromWhereItIs) {
  ElasticController controller({.strategy = Strategy::kScaleRate, .ramp = 100}, 4);
  controller.OnWorkers(0, 8);
  controller.OnWorkers(50, 8);  // the same number does not start the ramp anew
  EXPECT_EQ(controller.RateScale(60), 1.6);
  controller.OnWorkers(60, 2);
  EXPECT_EQ(controller.RateScale(60), 1.6);
  EXPECT_NEAR(controller.RateScale(110), (1.6 + 0.5) / 2, 1e-12);
  EXPECT_EQ(controller.RateScale(160), 0.5);
}

TEST(ElasticControllerTest, WithoutARampTheRateJumps) {
  ElasticController controller({.strategy = Strategy::kScaleRate, .ramp = 0}, 2);
  controller.OnWorkers(10, 3);
  EXPECT_EQ(controller.RateScale(10), 1.5);
}

TEST(ElasticControllerTest, SharesOfTheBatchAddUpForEveryNumberOfWorkers) {  // DM-T4
  for (size_t workers = 1; workers <= 40; ++workers) {
    ElasticController controller({.strategy = Strategy::kShareBatch}, 5);
    controller.OnWorkers(1, workers);
    size_t sum = 0;
    for (size_t rank = 0; rank < workers; ++rank) {
      sum += controller.BatchOf(rank, 13);
      EXPECT_GE(controller.BatchOf(rank, 13), 65 / workers);
      EXPECT_LE(controller.BatchOf(rank, 13), 65 / workers + 1);
    }
    EXPECT_EQ(sum, 65) << workers;
    EXPECT_EQ(controller.RateScale(1000), 1);
  }
}

TEST(ElasticControllerTest, MoreWorkersThanSamplesGetOneEach) {
  ElasticController controller({.strategy = Strategy::kShareBatch}, 1);
  controller.OnWorkers(1, 5);
  for (size_t rank = 0; rank < 5; ++rank) EXPECT_EQ(controller.BatchOf(rank, 2), 1);
}

}  // namespace
}  // namespace starling
