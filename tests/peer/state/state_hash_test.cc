#include "peer/state/state_hash.h"

#include <cstring>
#include <functional>

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"

namespace starling {
namespace {

const FrameIdentity kSelf{PeerId(1), 1, RunId(7), 1, ModelFingerprint(9), ShardMap{5, 2}};

Snapshot State() { return Snapshot{BytesOf({1, 2, 3, 4, 5}), 12, 345}; }

TEST(StateHashTest, AManifestDescribesTheState) {
  const v1::StateManifest manifest = MakeManifest(kSelf, 6, State());
  EXPECT_EQ(manifest.state_id(), 6);
  EXPECT_EQ(manifest.model_fingerprint(), 9);
  EXPECT_EQ(manifest.step(), 12);
  EXPECT_EQ(manifest.samples(), 345);
  EXPECT_EQ(manifest.elements(), 5);
  EXPECT_EQ(manifest.shard_count(), 3);
  ASSERT_EQ(manifest.shard_hashes_size(), 3);
  EXPECT_EQ(manifest.shard_hashes(0), HashPayload(BytesOf({1, 2})));
  EXPECT_EQ(manifest.shard_hashes(2), HashPayload(BytesOf({5})));
  EXPECT_TRUE(CheckManifest(kSelf, manifest).ok());
}

TEST(StateHashTest, EveryChangedBitChangesTheHash) {
  const v1::StateManifest manifest = MakeManifest(kSelf, 6, State());
  EXPECT_TRUE(MatchesManifest(manifest, BytesOf({1, 2, 3, 4, 5})));
  for (size_t byte = 0; byte < 5 * sizeof(float); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<float> values = {1, 2, 3, 4, 5};
      char changed;
      std::memcpy(&changed, reinterpret_cast<const char*>(values.data()) + byte, 1);
      changed = static_cast<char>(changed ^ (1 << bit));
      std::memcpy(reinterpret_cast<char*>(values.data()) + byte, &changed, 1);
      ASSERT_FALSE(MatchesManifest(manifest, BytesOf(values))) << byte << "/" << bit;
    }
  }
}

TEST(StateHashTest, BothHalvesOfTheHashCount) {
  v1::StateManifest manifest = MakeManifest(kSelf, 6, State());
  manifest.set_hash_high(manifest.hash_high() + 1);
  EXPECT_FALSE(MatchesManifest(manifest, State().values));
  manifest = MakeManifest(kSelf, 6, State());
  manifest.set_hash_low(manifest.hash_low() + 1);
  EXPECT_FALSE(MatchesManifest(manifest, State().values));
}

TEST(StateHashTest, AManifestOfAnotherModelOrCutIsRefused) {
  const std::vector<std::function<void(v1::StateManifest&)>> changes = {
      [](auto& manifest) { manifest.set_model_fingerprint(10); },
      [](auto& manifest) { manifest.set_elements(6); },
      [](auto& manifest) { manifest.set_shard_count(2); },
      [](auto& manifest) { manifest.add_shard_hashes(1); },
      [](auto& manifest) { manifest.clear_shard_hashes(); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    v1::StateManifest manifest = MakeManifest(kSelf, 6, State());
    changes[i](manifest);
    const absl::Status status = CheckManifest(kSelf, manifest);
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << i << " " << status;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace starling
