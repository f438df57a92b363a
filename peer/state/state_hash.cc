#include "peer/state/state_hash.h"

#include "absl/strings/str_cat.h"
#include "peer/transport/frame.h"
#include "xxhash.h"

namespace starling {

v1::StateManifest MakeLiveManifest(const FrameIdentity& self, uint64_t step, uint64_t samples) {
  v1::StateManifest manifest;
  manifest.set_model_fingerprint(self.model.value());
  manifest.set_step(step);
  manifest.set_samples(samples);
  manifest.set_elements(self.shards.elements);
  manifest.set_shard_count(self.shards.count());
  return manifest;
}

v1::StateManifest MakeManifest(const FrameIdentity& self, uint64_t state_id,
                               const Snapshot& snapshot) {
  v1::StateManifest manifest = MakeLiveManifest(self, snapshot.step, snapshot.samples);
  manifest.set_state_id(state_id);
  const XXH128_hash_t hash = XXH3_128bits(snapshot.values.data(), snapshot.values.size());
  manifest.set_hash_high(hash.high64);
  manifest.set_hash_low(hash.low64);
  for (uint32_t shard = 0; shard < self.shards.count(); ++shard) {
    manifest.add_shard_hashes(
        HashPayload(snapshot.values.Slice(self.shards.offset(shard) * sizeof(float),
                                          self.shards.length(shard) * sizeof(float))));
  }
  return manifest;
}

absl::Status CheckManifest(const FrameIdentity& self, const v1::StateManifest& manifest) {
  if (manifest.model_fingerprint() != self.model.value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the donor's model has fingerprint ",
        ModelFingerprint(manifest.model_fingerprint()).ToString(), ", ours has ",
        self.model.ToString(), "; both must be built from the same model and LibTorch layout"));
  }
  if (manifest.elements() != self.shards.elements ||
      manifest.shard_count() != self.shards.count() ||
      (!IsLive(manifest) &&
       static_cast<uint32_t>(manifest.shard_hashes_size()) != self.shards.count())) {
    return absl::FailedPreconditionError(
        absl::StrCat("the donor offers ", manifest.elements(), " parameters in ",
                     manifest.shard_count(), " shards, ours are ", self.shards.elements, " in ",
                     self.shards.count()));
  }
  return absl::OkStatus();
}

bool MatchesManifest(const v1::StateManifest& manifest, const SharedBytes& values) {
  const XXH128_hash_t hash = XXH3_128bits(values.data(), values.size());
  return hash.high64 == manifest.hash_high() && hash.low64 == manifest.hash_low();
}

}  // namespace starling
