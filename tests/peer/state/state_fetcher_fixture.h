// A StateFetcher in a StateWorld of 25 shards, and what a test may expect of what it fetched.

#ifndef STARLING_TESTS_PEER_STATE_STATE_FETCHER_FIXTURE_H_
#define STARLING_TESTS_PEER_STATE_STATE_FETCHER_FIXTURE_H_

#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "peer/state/state_fetcher.h"
#include "tests/peer/state/state_world.h"

namespace starling {

inline constexpr ShardMap kShards{99, 4};

class StateFetcherTest : public ::testing::Test {
 protected:
  using Message = StateWorld::Message;

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

}  // namespace starling

#endif  // STARLING_TESTS_PEER_STATE_STATE_FETCHER_FIXTURE_H_
