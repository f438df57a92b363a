// Fetching from one donor: the protocol, its windows and deadlines, and what is refused.

#include "tests/peer/state/state_fetcher_fixture.h"

namespace starling {
namespace {

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
  const StateWorld::Message first = world.underway.back();
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
