// Fetching from several donors at once, and from the next one when one is lost.

#include "tests/peer/state/state_fetcher_fixture.h"

namespace starling {
namespace {

using StateFetcherDonorsTest = StateFetcherTest;

TEST_F(StateFetcherDonorsTest, SeveralDonorsServeAtOnceAndEveryShardIsOneDonorsBitForBit) {
  AddNearDonors(4);
  FetchFrom({1, 2, 3, 4}, FetchMode::kPatchwork);
  world_.Settle();
  ExpectPatchworkOf({1, 2, 3, 4});
  EXPECT_EQ(shares_.size(), 4);
  EXPECT_EQ(results_[0]->step, 1001);
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(world_.donor(id).owner.snapshots, 0) << id;
}

TEST_F(StateFetcherDonorsTest, AFastDonorServesMoreThanASlowOne) {
  options_.window = 2;
  AddNearDonors(2);
  FetchFrom({1, 2}, FetchMode::kPatchwork);
  for (int turn = 0; results_.empty() && turn < 1000; ++turn) {
    for (int i = 0; i < 10 && results_.empty(); ++i) DeliverOf(1);
    if (results_.empty()) DeliverOf(2);
  }
  ExpectPatchworkOf({1, 2});
  EXPECT_GT(shares_[PeerId(1)], 4 * shares_[PeerId(2)]);
}

TEST_F(StateFetcherDonorsTest, WhatALostDonorSentStaysAndTheOthersAreAskedForTheRest) {
  AddNearDonors(2);
  FetchFrom({1, 2}, FetchMode::kPatchwork);
  for (int i = 0; i < 14; ++i) ASSERT_TRUE(DeliverOf(1));
  world_.executor.Do([&] { fetcher_->RemoveDonor(PeerId(1)); });
  std::erase_if(world_.underway,
                [](const Message& message) { return message.donor == DonorAddress(1); });
  world_.Settle();
  ExpectPatchworkOf({1, 2});
  EXPECT_GT(shares_[PeerId(1)], 0);
}

TEST_F(StateFetcherDonorsTest, AfterACutOfTheOnlyDonorTheNextOneSendsOnlyWhatIsMissing) {
  AddNearDonors(2);
  FetchFrom({1}, FetchMode::kPatchwork);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(DeliverOf(1));
  const uint32_t here = fetcher_->shards_here();
  ASSERT_GT(here, 2);
  world_.executor.Do([&] { fetcher_->RemoveDonor(PeerId(1)); });
  world_.underway.clear();
  Add(2);
  world_.Settle();
  ExpectPatchworkOf({1, 2});
  EXPECT_EQ(shares_[PeerId(1)], here);
}

TEST_F(StateFetcherDonorsTest, EachShardOfAPatchworkIsAsTheDonorHasItWhenItSendsIt) {
  AddNearDonors(1);
  FetchFrom({1}, FetchMode::kPatchwork);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(DeliverOf(1));
  std::vector<float>& values = world_.donor(1).owner.values;
  const float before = values.back();
  values.back() += 1;
  world_.donor(1).owner.step = 1050;
  world_.Settle();
  ASSERT_EQ(results_.size(), 1);
  EXPECT_EQ(results_[0]->values.floats().back(), before + 1);
  // No shard is older than that.
  EXPECT_EQ(results_[0]->step, 1001);
}

TEST_F(StateFetcherDonorsTest, ASlowDonorsLastShardsAreAskedOfWhoeverIsIdle) {
  AddNearDonors(2);
  FetchFrom({1, 2}, FetchMode::kPatchwork);
  // Donor 2 sends nothing at all.
  for (int i = 0; i < 1000 && results_.empty(); ++i) DeliverOf(1);
  ExpectPatchworkOf({1});
}

TEST_F(StateFetcherDonorsTest, ADonorFarFromTheOthersIsNotMixedWithThem) {
  AddNearDonors(1);
  world_.AddDonor(3).owner.step = 700;
  FetchFrom({1}, FetchMode::kPatchwork);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(DeliverOf(1));
  Add(3);
  ASSERT_EQ(results_.size(), 1);
  EXPECT_TRUE(absl::IsUnavailable(results_[0].status()));
  EXPECT_NE(results_[0].status().message().find("too far behind"), absl::string_view::npos);
  results_.clear();
  world_.Settle();
  ExpectPatchworkOf({1});
}

// Seed 2420 of the soak: all who were as far were gone, and the newcomer refused everybody else for good.
TEST_F(StateFetcherDonorsTest, ADonorFarBehindIsTakenWhenItIsAskedAgainAndNobodyIsAsFarAnyMore) {
  AddNearDonors(1);
  world_.AddDonor(3).owner.step = 700;
  FetchFrom({1}, FetchMode::kPatchwork);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(DeliverOf(1));
  ASSERT_GT(fetcher_->shards_here(), 0);
  world_.executor.Do([&] { fetcher_->RemoveDonor(PeerId(1)); });
  world_.underway.clear();
  Add(3);
  ASSERT_EQ(results_.size(), 1);
  EXPECT_TRUE(absl::IsUnavailable(results_[0].status()));
  results_.clear();
  Add(3);
  world_.Settle();
  ExpectPatchworkOf({3});
}

TEST_F(StateFetcherDonorsTest, ADonorFarBehindIsLetGoAgainWhileAnotherSends) {
  AddNearDonors(1);
  world_.AddDonor(3).owner.step = 700;
  FetchFrom({1}, FetchMode::kPatchwork);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(DeliverOf(1));
  for (int time = 0; time < 2; ++time) Add(3);
  ASSERT_EQ(results_.size(), 2);
  EXPECT_TRUE(absl::IsUnavailable(results_[1].status()));
  results_.clear();
  world_.Settle();
  ExpectPatchworkOf({1});
}

TEST_F(StateFetcherDonorsTest, ShardsOfADonorFarBehindTheNextOneAreDropped) {
  AddNearDonors(2);
  world_.donor(1).owner.step = 10;
  FetchFrom({1}, FetchMode::kPatchwork);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(DeliverOf(1));
  ASSERT_GT(fetcher_->shards_here(), 0);
  world_.executor.Do([&] { fetcher_->RemoveDonor(PeerId(1)); });
  world_.underway.clear();
  Add(2);
  world_.Settle();
  ExpectPatchworkOf({2});
}

TEST_F(StateFetcherDonorsTest, OneCopyKeepsOfAnEarlierDonorWhatTheNextOneHoldsToo) {
  world_.AddDonor(1);
  world_.AddDonor(2);
  std::vector<float>& second = world_.donor(2).owner.values;
  second = world_.donor(1).owner.values;
  second[0] += 1;
  FetchFrom({1}, FetchMode::kOneCopy);
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(DeliverOf(1));
  ASSERT_GT(fetcher_->shards_here(), 3);
  world_.executor.Do([&] { fetcher_->RemoveDonor(PeerId(1)); });
  world_.underway.clear();
  Add(2);
  size_t asked = world_.underway.size();
  while (!world_.underway.empty()) {
    const Message message = world_.TakeFirst();
    asked += message.to_donor ? 0 : 1;
    world_.Deliver(message);
  }
  ExpectFetched(2);
  EXPECT_EQ(shares_, (std::map<PeerId, uint32_t>{{PeerId(2), 25}}));
}

TEST_F(StateFetcherDonorsTest, LossAndLostDonorsInAnyOrderEndInAWholeState) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    results_.clear();
    world_.underway.clear();
    AddNearDonors(4);
    FetchFrom({1, 2}, FetchMode::kPatchwork);
    bool done = false;
    for (int turn = 0; !done && turn < 3000; ++turn) {
      if (random.Bernoulli(0.02)) {
        const uint64_t donor = 1 + random.UniformInt(4);
        world_.executor.Do([&] {
          fetcher_->Uses(PeerId(donor)) && fetcher_->sources() > 1
              ? fetcher_->RemoveDonor(PeerId(donor))
              : void();
        });
        if (!fetcher_->Uses(PeerId(1 + donor % 4))) Add(1 + donor % 4);
      }
      if (world_.underway.empty()) {
        world_.executor.Advance(absl::Milliseconds(100));
      } else {
        const size_t which = random.UniformInt(world_.underway.size());
        const Message message = world_.underway[which];
        world_.underway.erase(world_.underway.begin() + static_cast<std::ptrdiff_t>(which));
        if (!random.Bernoulli(0.2)) world_.Deliver(message);
      }
      done = fetcher_->done();
    }
    ASSERT_TRUE(done);
    std::erase_if(results_, [](const auto& result) { return !result.ok(); });
    ExpectPatchworkOf({1, 2, 3, 4});
  }
}

}  // namespace
}  // namespace starling
