// TrainingActor as the ParameterOwner: what others ask of the parameters, done between two steps.

#include <algorithm>
#include <cstring>
#include <utility>

#include "peer/codec/payload.h"
#include "peer/codec/peak.h"
#include "peer/codec/registry.h"
#include "peer/gossip/coded_mix.h"
#include "peer/runtime/check.h"
#include "peer/training/training_actor.h"

namespace starling {
namespace {

// A worker with less push-sum weight than this gives none away: it would soon vanish in rounding.
constexpr double kLeastMass = 1e-6;

}  // namespace

absl::Span<float> TrainingActor::Shard(size_t offset, size_t elements) {
  STARLING_CHECK(offset <= size_ && elements <= size_ - offset);
  return model_->parameters().subspan(offset, elements);
}

template <typename Work>
bool TrainingActor::PostMixing(Work work) {
  if (sick_) return false;
  return Post([this, work = std::move(work)]() mutable {
    AssertHere();
    const absl::Time begin = Now();
    if (sick_ || !work()) parked_.push_back(std::move(work));
    if (running_) mixing_time_ += Now() - begin;
  });
}

void TrainingActor::Replace(Snapshot state, absl::AnyInvocable<void()> done) {
  PostOwn([this, state = std::move(state), done = std::move(done)]() mutable {
    AssertHere();
    STARLING_CHECK(!running_ && state.values.size() == size_ * sizeof(float));
    std::memcpy(model_->parameters().data(), state.values.data(), state.values.size());
    data_gate_.Forget();
    progress_.step = state.step;
    progress_.samples = state.samples;
    if (sick_) Mend();
    done();
  });
}

MutableBuffer TrainingActor::TakeBytes(size_t bytes) {
  return pool_->Take((bytes + sizeof(float) - 1) / sizeof(float));
}

Snapshot TrainingActor::NewSnapshot(const Codec& codec, char** out) {
  STARLING_CHECK(CarriesValues(codec));
  const size_t bytes = codec.MaxBytes(size_);
  MutableBuffer copy = TakeBytes(bytes);
  *out = reinterpret_cast<char*>(copy.floats().data());
  return Snapshot{std::move(copy).Freeze().Slice(0, bytes), progress_.step, progress_.samples, {},
                  codec.wire()};
}

bool TrainingActor::CopyRange(const Codec& codec, size_t from, size_t to, char* out) {
  char* at = out + from * codec.contract().bytes_per_element;
  for (size_t offset = from; offset < to; offset += kTileElements) {
    const absl::Span<const float> tile =
        model_->parameters().subspan(offset, std::min(kTileElements, to - offset));
    if (!AllFinite(tile)) {
      SickenParameters();
      return false;
    }
    at += EncodePayload(codec, tile, 0, nullptr, at);
  }
  return true;
}

absl::optional<Snapshot> TrainingActor::CopyParameters(const Codec& codec) {
  char* out = nullptr;
  Snapshot snapshot = NewSnapshot(codec, &out);
  if (!CopyRange(codec, 0, size_, out)) return absl::nullopt;
  return snapshot;
}

// Replies are a stream without end, of whatever shards; nothing that depends on the place is kept.
CodecState* TrainingActor::StateOf(const std::shared_ptr<const Codec>& codec, size_t elements) {
  if (codec->contract().state != CodecContract::State::kBudget) return nullptr;
  if (state_codec_ != codec) {
    state_codec_ = codec;
    reply_state_ = codec->NewState(elements);
  }
  return reply_state_.get();
}

double& TrainingActor::MassOf(size_t offset) {
  return options_.shard_elements == 0 ? masses_.front()
                                      : masses_.at(offset / options_.shard_elements);
}

bool TrainingActor::TakeSnapshot(std::shared_ptr<const Codec> codec,
                                 absl::AnyInvocable<void(Snapshot)> done) {
  return PostMixing([this, codec = std::move(codec), done = std::move(done)]() mutable {
    absl::optional<Snapshot> snapshot = CopyParameters(*codec);
    if (!snapshot) return false;
    done(*std::move(snapshot));
    return true;
  });
}

bool TrainingActor::StreamSnapshot(std::shared_ptr<const Codec> codec, size_t piece,
                                   absl::AnyInvocable<void(SnapshotPart)> part) {
  return PostMixing([this, codec = std::move(codec), piece, part = std::move(part)]() mutable {
    char* out = nullptr;
    const Snapshot whole = NewSnapshot(*codec, &out);
    for (size_t from = 0; from < size_;) {
      const size_t to = std::min(from + piece, size_);
      if (!CopyRange(*codec, from, to, out)) {
        // Nobody knows of it yet: it is taken again when the parameters are well.
        if (from == 0) return false;
        part({whole, from, from, /*failed=*/true});
        return true;
      }
      part({whole, from, to});
      from = to;
    }
    return true;
  });
}

bool TrainingActor::TakeShard(size_t offset, size_t elements,
                              absl::AnyInvocable<void(Snapshot)> done) {
  return PostMixing([this, offset, elements, done = std::move(done)]() mutable {
    const absl::Span<const float> shard = Shard(offset, elements);
    if (!AllFinite(shard) && !CheckParameters()) return false;
    MutableBuffer copy = TakeBytes(elements * sizeof(float));
    std::memcpy(copy.floats().data(), shard.data(), elements * sizeof(float));
    done(Snapshot{std::move(copy).Freeze(), progress_.step, progress_.samples, {}});
    return true;
  });
}

bool TrainingActor::GiveSnapshot(std::shared_ptr<const Codec> codec,
                                 absl::AnyInvocable<void(Snapshot)> done) {
  return PostMixing([this, codec = std::move(codec), done = std::move(done)]() mutable {
    absl::optional<Snapshot> snapshot = CopyParameters(*codec);
    if (!snapshot) return false;
    if (*std::min_element(masses_.begin(), masses_.end()) >= kLeastMass) {
      for (double& mass : masses_) {
        mass /= 2;
        snapshot->masses.push_back(mass);
      }
    }
    done(*std::move(snapshot));
    return true;
  });
}

void TrainingActor::ReturnMass(size_t offset, double mass) {
  PostOwn([this, offset, mass] { MassOf(offset) += mass; });
}

void TrainingActor::DropAnchors() {
  PostOwn([this] { tethers_.DropAnchors(); });
}

bool TrainingActor::RespondToMix(std::shared_ptr<const MixRule> rule, size_t offset,
                                 size_t elements, CodedBytes incoming, MixTerms terms,
                                 std::shared_ptr<const Codec> codec,
                                 absl::AnyInvocable<void(MixAnswer)> done) {
  return PostMixing([this, rule = std::move(rule), offset, elements,
                     incoming = std::move(incoming), terms, codec = std::move(codec),
                     done = std::move(done)]() mutable {
    if (absl::optional<std::string> refused =
            data_gate_.Judge(model_->parameters(), offset, elements, incoming)) {
      MixAnswer answer;
      answer.refused = *std::move(refused);
      done(std::move(answer));
      return true;
    }
    MutableBuffer reply =
        rule->reply_has_payload() ? TakeBytes(codec->MaxBytes(elements)) : MutableBuffer();
    MixTerms mixed = terms;  // should this be tried again, once the parameters are well
    mixed.own_mass = MassOf(offset);
    const ReplyEncoding encoding{codec.get(), reply_random_.Next(), StateOf(codec, elements)};
    size_t size = 0;
    const absl::optional<MixNorms> norms =
        RespondCoded(*rule, Shard(offset, elements), incoming, mixed, encoding,
                     reinterpret_cast<char*>(reply.floats().data()), &size);
    if (!norms) {
      SickenParameters();
      return false;
    }
    MassOf(offset) = mixed.own_mass;
    MixAnswer answer{{std::move(reply).Freeze().Slice(0, size), codec->wire()},
                     norms->squared_distance,
                     norms->squared_delta,
                     progress_.step};
    if (options_.observer != nullptr && !answer.reply.empty()) {
      options_.observer->OnResponded(offset, elements, answer.reply);
    }
    done(std::move(answer));
    return true;
  });
}

bool TrainingActor::CommitMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                              CodedBytes snapshot, CodedBytes reply, MixTerms terms,
                              uint32_t tether,
                              absl::AnyInvocable<void(absl::StatusOr<double>)> done) {
  return PostMixing([this, rule = std::move(rule), offset, elements,
                     snapshot = std::move(snapshot), reply = std::move(reply), terms, tether,
                     done = std::move(done)]() mutable {
    if (absl::optional<std::string> refused =
            data_gate_.Judge(model_->parameters(), offset, elements, reply)) {
      done(absl::OutOfRangeError(*refused));
      return true;
    }
    const absl::optional<double> squared_distance =
        CommitCoded(*rule, Shard(offset, elements), snapshot, reply, terms);
    if (!squared_distance) {
      SickenParameters();
      return false;
    }
    if (tethers_.Has(tether) && !reply.empty()) SetAnchor(tether, offset, elements, reply);
    if (options_.observer != nullptr && !reply.empty()) {
      options_.observer->OnCommitted(offset, elements, reply);
    }
    done(*squared_distance);
    return true;
  });
}

void TrainingActor::SetAnchor(uint32_t tether, size_t offset, size_t elements,
                              const CodedBytes& values) {
  if (values.codec == v1::CODEC_FP32) {
    tethers_.SetAnchor(tether, offset, values.bytes.floats(), model_->parameters());
    return;
  }
  std::vector<float> anchor(elements);
  const absl::Status decoded =
      DecodePayload(*FindDecoder(values.codec), {values.bytes.data(), values.bytes.size()},
                    absl::MakeSpan(anchor));
  STARLING_CHECK(decoded.ok());
  tethers_.SetAnchor(tether, offset, anchor, model_->parameters());
}

bool TrainingActor::ApplyDisplacement(size_t offset, SharedBytes average, SharedBytes snapshot,
                                      absl::AnyInvocable<void()> done) {
  return PostMixing([this, offset, average = std::move(average), snapshot = std::move(snapshot),
                     done = std::move(done)]() mutable {
    const absl::Span<const float> target = average.floats();
    const absl::Span<const float> was = snapshot.floats();
    STARLING_CHECK(target.size() == was.size());
    const absl::Span<float> own = Shard(offset, target.size());
    for (size_t i = 0; i < own.size(); ++i) own[i] += target[i] - was[i];
    done();
    return true;
  });
}

}  // namespace starling
