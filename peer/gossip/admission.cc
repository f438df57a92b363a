#include "peer/gossip/admission.h"

#include "absl/strings/str_cat.h"

namespace starling {

void StampHeader(const FrameIdentity& self, uint32_t shard, v1::ShardHeader& header) {
  header.set_sender(self.peer.value());
  header.set_sender_incarnation(self.incarnation);
  header.set_run_id(self.run.value());
  header.set_epoch(self.epoch);
  header.set_model_fingerprint(self.model.value());
  header.set_shard(shard);
  header.set_shard_count(self.shards.count());
  header.set_offset(self.shards.offset(shard));
  header.set_elements(static_cast<uint32_t>(self.shards.length(shard)));
}

absl::optional<FrameFault> Admit(const FrameIdentity& self, const v1::ShardHeader& header) {
  if (header.run_id() != self.run.value()) {
    return FrameFault{v1::REFUSAL_REASON_WRONG_RUN,
                      absl::StrCat("frame of run ", RunId(header.run_id()).ToString(),
                                   ", this peer trains run ", self.run.ToString())};
  }
  const v1::FrameKind kind =
      header.kind() == v1::FRAME_KIND_REFUSAL ? header.refused_kind() : header.kind();
  const bool averaging = kind == v1::FRAME_KIND_REDUCE || kind == v1::FRAME_KIND_AVERAGE;
  const bool own_rounds = kind == v1::FRAME_KIND_NEIGHBOUR_VALUES ||
                          kind == v1::FRAME_KIND_NEIGHBOUR_ASK ||
                          (averaging && header.lane() == v1::ROUND_LANE_ALGORITHM);
  if ((!averaging || own_rounds) && header.epoch() != self.epoch) {
    return FrameFault{v1::REFUSAL_REASON_WRONG_EPOCH,
                      absl::StrCat("frame of configuration epoch ", header.epoch(),
                                   ", this peer is at ", self.epoch)};
  }
  if (header.model_fingerprint() != self.model.value()) {
    return FrameFault{
        v1::REFUSAL_REASON_WRONG_MODEL,
        absl::StrCat("model fingerprint ", ModelFingerprint(header.model_fingerprint()).ToString(),
                     ", this peer's model is ", self.model.ToString())};
  }
  const ShardMap& shards = self.shards;
  if (own_rounds) {
    // Their vectors may be longer than the model; the round knows.
  } else if (header.shard_count() != shards.count() || header.shard() >= shards.count() ||
      header.offset() != shards.offset(header.shard()) ||
      header.elements() != shards.length(header.shard())) {
    return FrameFault{
        v1::REFUSAL_REASON_WRONG_LENGTH,
        absl::StrCat("shard ", header.shard(), "/", header.shard_count(), " of ", header.elements(),
                     " numbers at ", header.offset(), " does not fit a model of ", shards.elements,
                     " parameters in ", shards.count(), " shards")};
  }
  if (header.sender() == 0 || header.sender() == self.peer.value()) {
    return FrameFault{v1::REFUSAL_REASON_BAD_REQUEST,
                      header.sender() == 0 ? "frame names no sender"
                                           : "frame claims to come from this very peer"};
  }
  return absl::nullopt;
}

}  // namespace starling
