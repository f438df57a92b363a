// An owner of parameters whose step boundaries come when the test says so.

#ifndef STARLING_TESTS_PEER_GOSSIP_FAKE_PARAMETER_OWNER_H_
#define STARLING_TESTS_PEER_GOSSIP_FAKE_PARAMETER_OWNER_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/gossip/coded_mix.h"
#include "peer/runtime/shared_bytes.h"
#include "peer/training/parameter_owner.h"

namespace starling {

inline SharedBytes BytesOf(const std::vector<float>& values) {
  auto copy = std::make_shared<std::vector<float>>(values);
  const float* data = copy->data();
  return SharedBytes(std::move(copy), data, values.size() * sizeof(float));
}

inline SharedBytes HoldBytes(std::string bytes) {
  auto copy = std::make_shared<std::string>(std::move(bytes));
  const char* data = copy->data();
  const size_t size = copy->size();
  return SharedBytes(std::move(copy), data, size);
}

class FakeParameterOwner : public ParameterOwner {
 public:
  // One shard unless `elements_in_shard` says otherwise.
  explicit FakeParameterOwner(std::vector<float> initial, size_t elements_in_shard = 0)
      : values(std::move(initial)),
        shard_elements(elements_in_shard == 0 ? values.size() : elements_in_shard),
        masses((values.size() + shard_elements - 1) / shard_elements, 1.0) {}

  // Serves everything that waits.
  void Boundary() {
    while (!waiting_.empty()) {
      auto work = std::move(waiting_.front());
      waiting_.pop_front();
      work();
    }
  }
  size_t waiting() const { return waiting_.size(); }

  size_t size() const override { return values.size(); }
  bool TakeSnapshot(std::shared_ptr<const Codec> codec,
                    absl::AnyInvocable<void(Snapshot)> done) override {
    return Accept([this, codec, done = std::move(done)]() mutable { done(Copy(*codec)); });
  }
  // With `in_pieces` the boundary tells of the first shard, and each NextPiece of one more.
  bool StreamSnapshot(std::shared_ptr<const Codec> codec, size_t piece,
                      absl::AnyInvocable<void(SnapshotPart)> part) override {
    if (!in_pieces) return ParameterOwner::StreamSnapshot(codec, piece, std::move(part));
    return Accept([this, codec, part = std::move(part)]() mutable {
      streamed_ = {Copy(*codec)};
      tell_part_ = std::move(part);
      NextPiece();
    });
  }
  void NextPiece() {
    streamed_.from = streamed_.to;
    streamed_.to = std::min(streamed_.to + shard_elements, values.size());
    tell_part_(streamed_);
  }
  void FailPiece() {
    streamed_.from = streamed_.to;
    streamed_.failed = true;
    tell_part_(streamed_);
  }
  bool TakeShard(size_t offset, size_t elements,
                 absl::AnyInvocable<void(Snapshot)> done) override {
    return Accept([this, offset, elements, done = std::move(done)]() mutable {
      ++shards_taken;
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(offset);
      done(Snapshot{BytesOf({first, first + static_cast<std::ptrdiff_t>(elements)}), step, samples});
    });
  }
  bool GiveSnapshot(std::shared_ptr<const Codec> codec,
                    absl::AnyInvocable<void(Snapshot)> done) override {
    return Accept([this, codec, done = std::move(done)]() mutable {
      Snapshot snapshot = Copy(*codec);
      if (!too_light) {
        for (double& mass : masses) snapshot.masses.push_back(mass /= 2);
      }
      done(std::move(snapshot));
    });
  }
  void ReturnMass(size_t offset, double mass) override { masses.at(offset / shard_elements) += mass; }
  bool RespondToMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                    CodedBytes incoming, MixTerms terms, std::shared_ptr<const Codec> codec,
                    absl::AnyInvocable<void(MixAnswer)> done) override {
    return Accept([=, this, done = std::move(done)]() mutable {
      if (!out_of_scale.empty()) {
        MixAnswer answer;
        answer.refused = out_of_scale;
        done(std::move(answer));
        return;
      }
      ++responses;
      last_terms = terms;
      std::string reply(codec->MaxBytes(elements), '\0');
      double& mass = masses.at(offset / shard_elements);
      terms.own_mass = mass;
      size_t size = 0;
      const MixNorms norms =
          RespondCoded(*rule, absl::MakeSpan(values).subspan(offset, elements), incoming, terms,
                       {codec.get()}, reply.data(), &size)
              .value();
      mass = terms.own_mass;
      reply.resize(size);
      done(MixAnswer{{size == 0 ? SharedBytes() : HoldBytes(std::move(reply)), codec->wire()},
                     norms.squared_distance,
                     norms.squared_delta,
                     step});
    });
  }
  bool CommitMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                 CodedBytes snapshot, CodedBytes reply, MixTerms terms, uint32_t tether,
                 absl::AnyInvocable<void(absl::StatusOr<double>)> done) override {
    return Accept([=, this, done = std::move(done)]() mutable {
      if (!out_of_scale.empty()) {
        done(absl::OutOfRangeError(out_of_scale));
        return;
      }
      ++commits;
      last_terms = terms;
      last_tether = tether;
      done(CommitCoded(*rule, absl::MakeSpan(values).subspan(offset, elements), snapshot, reply,
                       terms)
               .value());
    });
  }
  void DropAnchors() override { ++anchors_dropped; }
  bool ApplyDisplacement(size_t, SharedBytes, SharedBytes, absl::AnyInvocable<void()>) override {
    return false;
  }

  std::vector<float> values;
  uint64_t step = 0;
  uint64_t samples = 0;
  // Push-sum weight of each shard.
  size_t shard_elements = 0;
  std::vector<double> masses;
  bool too_light = false;  // has too little weight to give any away
  bool full = false;  // refuses everything
  bool in_pieces = false;  // tells of snapshots piece by piece
  std::string out_of_scale;  // not empty: finds everything that comes out of scale, and says so
  int snapshots = 0;
  int shards_taken = 0;
  int responses = 0;
  int commits = 0;
  int anchors_dropped = 0;
  MixTerms last_terms;  // of the last mix, as they came
  uint32_t last_tether = 0;

 private:
  Snapshot Copy(const Codec& codec) {
    ++snapshots;
    std::string bytes(codec.MaxBytes(values.size()), '\0');
    bytes.resize(EncodePayload(codec, values, 0, nullptr, bytes.data()));
    return Snapshot{HoldBytes(std::move(bytes)), step, samples, {}, codec.wire()};
  }

  bool Accept(absl::AnyInvocable<void()> work) {
    if (full) return false;
    waiting_.push_back(std::move(work));
    return true;
  }

  std::deque<absl::AnyInvocable<void()>> waiting_;
  SnapshotPart streamed_;
  absl::AnyInvocable<void(SnapshotPart)> tell_part_;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_GOSSIP_FAKE_PARAMETER_OWNER_H_
