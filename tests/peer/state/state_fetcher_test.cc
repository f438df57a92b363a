#include "peer/state/state_fetcher.h"

#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "gtest/gtest.h"
#include "tests/peer/state/state_world.h"

namespace starling {
namespace {

using Message = StateWorld::Message;

// 25 shards.
constexpr ShardMap kShards{99, 4};

class StateFetcherTest : public ::testing::Test {
 protected:
  // Begins to fetch; whatever becomes of it ends up in results_.
  void Fetch(uint64_t donor) { FetchFrom({donor}, FetchMode::kOneCopy); }
  void FetchFrom(std::vector<uint64_t> donors, FetchMode mode) {
    v1::ControlRequest request;
    request.set_run_id(7);
    StateFetcher::Events events;
    events.on_lost = [this](PeerId, absl::Status why) { results_.push_back(std::move(why)); };
    events.on_done = [this](FetchedState state) {
      shares_ = state.donors;
      results_.push_back(std::move(state.snapshot));
    };
    fetcher_ = std::make_unique<StateFetcher>(&world_.executor, &world_, &pool_, world_.self,
                                              request, mode, options_, std::move(events));
    world_.on_frame = [this](const Frame& frame) { fetcher_->OnFrame(frame); };
    for (const uint64_t donor : donors) Add(donor);
  }
  void Add(uint64_t donor) {
    world_.executor.Do([&] { fetcher_->AddDonor(PeerId(donor), DonorAddress(donor)); });
    world_.Run();
  }
  // Donors of one age, so that their shards may be mixed.
  void AddNearDonors(uint64_t count) {
    for (uint64_t id = 1; id <= count; ++id) world_.AddDonor(id).owner.step = 1000 + id;
  }
  // Delivers the first message that is from or to `donor`; false if there is none.
  bool DeliverOf(uint64_t donor) {
    for (auto each = world_.underway.begin(); each != world_.underway.end(); ++each) {
      if (each->donor != DonorAddress(donor)) continue;
      const Message message = *each;
      world_.underway.erase(each);
      world_.Deliver(message);
      return true;
    }
    return false;
  }
  // Each shard that came is one donor's, bit for bit.
  void ExpectPatchworkOf(std::set<uint64_t> donors) {
    ASSERT_EQ(results_.size(), 1);
    ASSERT_TRUE(results_[0].ok()) << results_[0].status();
    const absl::Span<const float> values = results_[0]->values.floats();
    std::map<PeerId, uint32_t> found;
    for (uint32_t shard = 0; shard < kShards.count(); ++shard) {
      for (const uint64_t donor : donors) {
        const float* const held =
            world_.donor(donor).owner.values.data() + kShards.offset(shard);
        if (std::memcmp(values.data() + kShards.offset(shard), held,
                        kShards.length(shard) * sizeof(float)) == 0) {
          ++found[PeerId(donor)];
        }
      }
    }
    uint32_t total = 0;
    for (const auto& [donor, count] : found) total += count;
    EXPECT_EQ(total, kShards.count());
    EXPECT_EQ(found, shares_);
  }
  void ExpectFetched(uint64_t donor) {
    ASSERT_EQ(results_.size(), 1);
    ASSERT_TRUE(results_[0].ok()) << results_[0].status();
    const std::vector<float>& expected = world_.donor(donor).owner.values;
    ASSERT_EQ(results_[0]->values.size(), expected.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(results_[0]->values.data(), expected.data(), results_[0]->values.size()),
              0);
    EXPECT_EQ(results_[0]->step, 1000 * donor);
    EXPECT_EQ(results_[0]->samples, 32000 * donor);
  }
  void ExpectFailed(absl::StatusCode code, const std::string& detail) {
    ASSERT_EQ(results_.size(), 1);
    EXPECT_EQ(results_[0].status().code(), code) << results_[0].status();
    EXPECT_NE(results_[0].status().message().find(detail), absl::string_view::npos)
        << results_[0].status();
  }

  StateWorld world_{kShards};
  BufferPool pool_{size_t{1} << 20};
  StateSourceOptions options_;
  std::unique_ptr<StateFetcher> fetcher_;
  std::map<PeerId, uint32_t> shares_;
  std::vector<absl::StatusOr<Snapshot>> results_;
};

TEST_F(StateFetcherTest, TheStateArrivesBitForBitAndTheDonorIsTold) {
  world_.AddDonor(1);
  Fetch(1);
  world_.Settle();
  ExpectFetched(1);
  ASSERT_EQ(world_.donor(1).released.size(), 1);
  // Nothing is held any more.
  Fetch(1);
  world_.executor.Advance(absl::Milliseconds(501));
  world_.Settle();
  EXPECT_EQ(world_.donor(1).owner.snapshots, 2);
}

TEST_F(StateFetcherTest, NoMoreShardsThanTheWindowAreUnderWay) {
  options_.window = 3;
  world_.AddDonor(1);
  Fetch(1);
  while (!world_.underway.empty()) {
    EXPECT_LE(world_.underway.size(), 3);
    world_.Deliver(world_.TakeFirst());
  }
  ExpectFetched(1);
}

TEST_F(StateFetcherTest, LossRepetitionAndReorderingAreSurvived) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    results_.clear();
    StateWorld::Donor& donor = world_.AddDonor(seed);
    Fetch(seed);
    for (int quiet = 0; results_.empty() && quiet < 1000;) {
      if (world_.underway.empty()) {
        ++quiet;
        world_.executor.Advance(absl::Milliseconds(100));
        continue;
      }
      const size_t which = random.UniformInt(world_.underway.size());
      const Message message = world_.underway[which];
      if (!random.Bernoulli(0.2)) {
        world_.underway.erase(world_.underway.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (!random.Bernoulli(0.3)) world_.Deliver(message);
    }
    world_.underway.clear();
    ExpectFetched(seed);
    EXPECT_EQ(donor.owner.snapshots, 1);
  }
}

TEST_F(StateFetcherTest, ASlowLinkIsNotCloggedByAskingTwice) {
  world_.AddDonor(1);
  Fetch(1);
  int replies = 0;
  while (results_.empty() && !world_.underway.empty()) {
    const Message message = world_.TakeFirst();
    if (!message.to_donor) {
      // Slower than `retry`, and altogether than the patience.
      world_.executor.Advance(absl::Milliseconds(1200));
      ++replies;
    }
    world_.Deliver(message);
  }
  ExpectFetched(1);
  // Before the first shard came nothing was known of the link: one window was asked for twice.
  EXPECT_LE(replies, 25 + 8);
}

TEST_F(StateFetcherTest, WhenNothingCameForAWhileTheMissingShardsAreAskedForAgain) {
  world_.AddDonor(1);
  Fetch(1);
  ASSERT_EQ(world_.underway.size(), 8);
  Message second = world_.underway[1];
  world_.underway.clear();
  world_.Deliver(second);
  ASSERT_EQ(world_.underway.size(), 1);
  world_.Deliver(world_.TakeFirst());
  world_.underway.clear();
  world_.executor.Advance(absl::Milliseconds(999));
  EXPECT_TRUE(world_.underway.empty());
  world_.executor.Advance(absl::Milliseconds(1));
  std::vector<uint32_t> asked;
  for (const Message& message : world_.underway) asked.push_back(message.frame.header.shard());
  EXPECT_EQ(asked, (std::vector<uint32_t>{0, 2, 3, 4, 5, 6, 7, 8}));
  // In vain: once more after the same silence, often enough before the patience ends.
  world_.underway.clear();
  world_.executor.Advance(absl::Milliseconds(999));
  EXPECT_TRUE(world_.underway.empty());
  world_.executor.Advance(absl::Milliseconds(1));
  EXPECT_EQ(world_.underway.size(), 8);
  world_.Settle();
  ExpectFetched(1);
}

// 1 MiB, which take 8.4 s at 1 Mbit/s.
TEST(StateFetcherLineTest, LargeShardsAreNotAskedForAgainWhileASlowLineStillCarriesThem) {
  constexpr size_t kMebibyte = size_t{1} << 18;
  StateWorld world(ShardMap{4 * kMebibyte, kMebibyte});
  BufferPool pool(0);
  world.AddDonor(1);
  v1::ControlRequest request;
  request.set_run_id(7);
  bool lost = false;
  StateFetcher::Events events;
  events.on_lost = [&](PeerId, const absl::Status&) { lost = true; };
  events.on_done = [](FetchedState) {};
  StateFetcher fetcher(&world.executor, &world, &pool, world.self, request, FetchMode::kOneCopy, {},
                       std::move(events));
  world.on_frame = [&](const Frame& frame) { fetcher.OnFrame(frame); };
  world.executor.Do([&] { fetcher.AddDonor(PeerId(1), DonorAddress(1)); });
  world.Run();
  ASSERT_EQ(world.underway.size(), 4);
  world.Deliver(world.TakeFirst());
  const Message first = world.underway.back();
  ASSERT_EQ(first.frame.header.kind(), v1::FRAME_KIND_STATE_REPLY);
  const auto asked_within = [&](double seconds) {
    world.underway.clear();
    world.executor.Advance(absl::Seconds(seconds));
    return world.underway.size();
  };
  EXPECT_EQ(asked_within(2.0), 0);
  EXPECT_EQ(asked_within(0.2), 4);
  EXPECT_EQ(asked_within(4.0), 0) << "in vain: after twice as long";
  EXPECT_EQ(asked_within(0.3), 4);
  world.Deliver(first);
  EXPECT_EQ(asked_within(12.9), 0) << "twice what the last one took";
  EXPECT_EQ(asked_within(0.2), 3);
  EXPECT_FALSE(lost);
  asked_within(8.5);
  EXPECT_FALSE(lost) << "patience is longer than 10 s, too";
  asked_within(20);
  EXPECT_TRUE(lost);
}

TEST_F(StateFetcherTest, ACorruptShardIsNotAcceptedAndAskedForAgain) {
  world_.AddDonor(1);
  Fetch(1);
  world_.Deliver(world_.TakeFirst());
  Message& reply = world_.underway.back();
  ASSERT_EQ(reply.frame.header.kind(), v1::FRAME_KIND_STATE_REPLY);
  // Corrupted before it was sealed, so that only the manifest tells.
  reply.frame.payload = BytesOf({1, 2, 3, 4});
  SealFrame(reply.frame);
  world_.Settle();
  EXPECT_TRUE(results_.empty());
  world_.executor.Advance(absl::Seconds(1));
  world_.Settle();
  ExpectFetched(1);
}

TEST_F(StateFetcherTest, AStateThatDoesNotMatchTheHashOfTheWholeIsRefused) {
  world_.AddDonor(1).lie = [](v1::ControlResponse& response) {
    response.mutable_state()->set_hash_low(1);
  };
  Fetch(1);
  world_.Settle();
  ExpectFailed(absl::StatusCode::kDataLoss, DonorAddress(1));
}

TEST_F(StateFetcherTest, AnotherModelIsRefusedBeforeAnyShardIsAskedFor) {
  world_.AddDonor(1).lie = [](v1::ControlResponse& response) {
    response.mutable_state()->set_model_fingerprint(1234);
  };
  Fetch(1);
  EXPECT_TRUE(world_.underway.empty());
  ExpectFailed(absl::StatusCode::kFailedPrecondition, "fingerprint");
}

TEST_F(StateFetcherTest, AManifestThatLiesAboutItsSizeIsRefused) {
  world_.AddDonor(1).lie = [](v1::ControlResponse& response) {
    response.mutable_state()->clear_shard_hashes();
  };
  Fetch(1);
  EXPECT_TRUE(world_.underway.empty());
  ExpectFailed(absl::StatusCode::kFailedPrecondition, "parameters");
}

TEST_F(StateFetcherTest, ADonorThatRefusesIsUnavailableOrForGoodOfAnotherKind) {
  const std::vector<std::pair<v1::RefusalReason, absl::StatusCode>> cases = {
      {v1::REFUSAL_REASON_BUSY, absl::StatusCode::kUnavailable},
      {v1::REFUSAL_REASON_NOT_TRAINING, absl::StatusCode::kUnavailable},
      {v1::REFUSAL_REASON_WRONG_RUN, absl::StatusCode::kFailedPrecondition},
      {v1::REFUSAL_REASON_WRONG_MODEL, absl::StatusCode::kFailedPrecondition},
  };
  for (const auto& [reason, code] : cases) {
    results_.clear();
    world_.AddDonor(1).lie = [reason = reason](v1::ControlResponse& response) {
      response.mutable_refused()->set_reason(reason);
      response.mutable_refused()->set_detail("because");
    };
    Fetch(1);
    ExpectFailed(code, "because");
  }
}

TEST_F(StateFetcherTest, ADonorThatAnswersWithoutAManifestIsUnavailable) {
  world_.AddDonor(1).lie = [](v1::ControlResponse& response) { response.clear_body(); };
  Fetch(1);
  ExpectFailed(absl::StatusCode::kUnavailable, "manifest");
}

TEST_F(StateFetcherTest, ADonorThatCannotBeReachedIsUnavailable) {
  Fetch(5);
  ExpectFailed(absl::StatusCode::kUnavailable, DonorAddress(5));
}

TEST_F(StateFetcherTest, ADonorThatDoesNotAnswerIsGivenUpAfterThePatience) {
  world_.AddDonor(1).silent = true;
  Fetch(1);
  world_.executor.Advance(options_.patience - absl::Milliseconds(1));
  EXPECT_TRUE(results_.empty());
  world_.executor.Advance(absl::Milliseconds(1));
  ExpectFailed(absl::StatusCode::kDeadlineExceeded, "no answer");
}

TEST_F(StateFetcherTest, ADonorThatFallsSilentIsGivenUpAfterThePatience) {
  world_.AddDonor(1);
  Fetch(1);
  world_.Deliver(world_.TakeFirst());
  Message reply = world_.underway.back();
  world_.executor.Advance(absl::Seconds(5));
  world_.Deliver(reply);  // a shard that comes late begins the patience anew
  world_.executor.Advance(absl::Milliseconds(9999));
  EXPECT_TRUE(results_.empty());
  world_.executor.Advance(absl::Milliseconds(2500));
  ExpectFailed(absl::StatusCode::kDeadlineExceeded, "sent 1 shards, owes 8");
  EXPECT_EQ(world_.executor.timers(), 1);  // the keeper's; the fetcher has none left
}

TEST_F(StateFetcherTest, ADonorThatDropsItsCopyIsUnavailable) {
  world_.AddDonor(1);
  Fetch(1);
  world_.executor.Do([&] { world_.donor(1).keeper.Release(1); });
  world_.Settle();
  ExpectFailed(absl::StatusCode::kUnavailable, "no longer held");
}

TEST_F(StateFetcherTest, FramesOfOthersAreNotOfThisFetch) {
  world_.AddDonor(1);
  Fetch(1);
  world_.Deliver(world_.TakeFirst());
  const Frame reply = world_.underway.back().frame;
  auto taken = [&](const std::function<void(v1::ShardHeader&)>& change) {
    Frame frame = reply;
    change(frame.header);
    bool result = false;
    world_.executor.Do([&] { result = fetcher_->OnFrame(frame); });
    return result;
  };
  EXPECT_FALSE(taken([](auto& header) { header.set_sender(2); }));
  EXPECT_FALSE(taken([](auto& header) { header.set_exchange_id(999); }));
  EXPECT_TRUE(taken([](auto&) {}));
  world_.Settle();
  ExpectFetched(1);
  EXPECT_FALSE(taken([](auto&) {}));
}

TEST_F(StateFetcherTest, SeveralDonorsServeAtOnceAndEveryShardIsOneDonorsBitForBit) {
  AddNearDonors(4);
  FetchFrom({1, 2, 3, 4}, FetchMode::kPatchwork);
  world_.Settle();
  ExpectPatchworkOf({1, 2, 3, 4});
  EXPECT_EQ(shares_.size(), 4);
  EXPECT_EQ(results_[0]->step, 1001);
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(world_.donor(id).owner.snapshots, 0) << id;
}

TEST_F(StateFetcherTest, AFastDonorServesMoreThanASlowOne) {
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

TEST_F(StateFetcherTest, WhatALostDonorSentStaysAndTheOthersAreAskedForTheRest) {
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

TEST_F(StateFetcherTest, AfterACutOfTheOnlyDonorTheNextOneSendsOnlyWhatIsMissing) {
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

TEST_F(StateFetcherTest, EachShardOfAPatchworkIsAsTheDonorHasItWhenItSendsIt) {
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

TEST_F(StateFetcherTest, ASlowDonorsLastShardsAreAskedOfWhoeverIsIdle) {
  AddNearDonors(2);
  FetchFrom({1, 2}, FetchMode::kPatchwork);
  // Donor 2 sends nothing at all.
  for (int i = 0; i < 1000 && results_.empty(); ++i) DeliverOf(1);
  ExpectPatchworkOf({1});
}

TEST_F(StateFetcherTest, ADonorFarFromTheOthersIsNotMixedWithThem) {
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

TEST_F(StateFetcherTest, ShardsOfADonorFarBehindTheNextOneAreDropped) {
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

TEST_F(StateFetcherTest, OneCopyKeepsOfAnEarlierDonorWhatTheNextOneHoldsToo) {
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

TEST_F(StateFetcherTest, LossAndLostDonorsInAnyOrderEndInAWholeState) {
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

TEST_F(StateFetcherTest, DestroyingItCancels) {
  world_.AddDonor(1);
  Fetch(1);
  world_.on_frame = nullptr;
  fetcher_.reset();
  world_.Settle();
  world_.executor.Advance(absl::Minutes(1));
  EXPECT_TRUE(results_.empty());
}

}  // namespace
}  // namespace starling
