#include "peer/state/state_fetcher.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "peer/state/state_hash.h"

namespace starling {
namespace {

// Models of about one age may be mixed shard by shard.
bool NearInSteps(uint64_t some, uint64_t other) {
  const uint64_t apart = some > other ? some - other : other - some;
  return apart <= std::max<uint64_t>(100, std::max(some, other) / 50);
}

}  // namespace

StateFetcher::StateFetcher(Executor* control, Transport* transport, BufferPool* pool,
                           const FrameIdentity& self, v1::ControlRequest request_template,
                           FetchMode mode, StateSourceOptions options, Events events)
    : Actor(control, /*mailbox_capacity=*/64),
      transport_(transport),
      pool_(pool),
      self_(self),
      request_template_(std::move(request_template)),
      mode_(mode),
      options_(options),
      events_(std::move(events)),
      values_(pool_->Take(self_.shards.elements)),
      origins_(self_.shards.count()) {
  for (uint32_t shard = 0; shard < origins_.size(); ++shard) open_.insert(open_.end(), shard);
}

void StateFetcher::AddDonor(PeerId donor, const std::string& address, absl::Duration patience) {
  AssertHere();
  STARLING_CHECK(!done_ && !Uses(donor));
  STARLING_CHECK(mode_ == FetchMode::kPatchwork || sources() == 0);
  StateSourceOptions options = options_;
  options.patience = std::max(options.patience, patience);
  sources_.push_back(std::make_unique<StateSource>(executor(), transport_,
                                                   static_cast<StateSource::Owner*>(this), self_,
                                                   request_template_, donor, address,
                                                   mode_ == FetchMode::kPatchwork, options));
  sources_.back()->Start();
}

void StateFetcher::RemoveDonor(PeerId donor) {
  AssertHere();
  for (const auto& source : sources_) {
    if (source->ended() || source->donor() != donor) continue;
    source->End();
    Replace(*source);
  }
}

bool StateFetcher::Uses(PeerId donor) const {
  return std::any_of(sources_.begin(), sources_.end(), [donor](const auto& source) {
    return !source->ended() && source->donor() == donor;
  });
}

size_t StateFetcher::sources() const {
  return static_cast<size_t>(
      std::count_if(sources_.begin(), sources_.end(),
                    [](const auto& source) { return !source->ended(); }));
}

std::vector<PeerId> StateFetcher::donors() const {
  std::vector<PeerId> donors;
  for (const auto& source : sources_) {
    if (!source->ended()) donors.push_back(source->donor());
  }
  return donors;
}

bool StateFetcher::OnFrame(const Frame& frame) {
  AssertHere();
  return std::any_of(sources_.begin(), sources_.end(),
                     [&frame](const auto& source) { return source->OnFrame(frame); });
}

absl::Status StateFetcher::OnManifest(StateSource& source) {
  const v1::StateManifest& manifest = source.manifest();
  for (uint32_t shard = 0; shard < origins_.size(); ++shard) {
    Origin& origin = origins_[shard];
    if (origin.donor == PeerId()) continue;
    if (mode_ == FetchMode::kPatchwork) {
      if (NearInSteps(origin.step, manifest.step())) continue;
      if (origin.step > manifest.step() && !NobodyIsAsFarAs(source)) {
        return absl::UnavailableError(
            absl::StrCat("donor ", source.donor().ToString(), " at ", source.address(),
                         " is at step ", manifest.step(), ", too far behind ", origin.step,
                         ", of which shards are here already"));
      }
      DropShard(shard);
    } else if (origin.hash != manifest.shard_hashes(static_cast<int>(shard))) {
      DropShard(shard);
    } else {
      origin = {source.donor(), origin.hash, manifest.step(), manifest.samples()};
    }
  }
  if (count_here_ == origins_.size()) Complete();
  return absl::OkStatus();
}

bool StateFetcher::NobodyIsAsFarAs(const StateSource& source) {
  const bool promised = std::any_of(sources_.begin(), sources_.end(), [&source](const auto& other) {
    return other.get() != &source && !other->ended() && other->has_manifest();
  });
  return !behind_.insert(source.donor()).second && !promised;
}

void StateFetcher::DropShard(uint32_t shard) {
  origins_[shard] = Origin();
  --count_here_;
  open_.insert(shard);
}

absl::optional<uint32_t> StateFetcher::NextShard(const StateSource& source) {
  if (done_) return absl::nullopt;
  if (!open_.empty()) return open_.extract(open_.begin()).value();
  if (!source.asked().empty()) return absl::nullopt;
  for (const auto& other : sources_) {
    if (!other->ended() && !other->asked().empty()) return *other->asked().begin();
  }
  return absl::nullopt;
}

bool StateFetcher::OnShard(StateSource& source, uint32_t shard, const SharedBytes& values,
                           uint64_t step) {
  if (done_ || origins_[shard].donor != PeerId()) return !done_;
  STARLING_CHECK(values.size() == self_.shards.length(shard) * sizeof(float));
  std::memcpy(values_.floats().data() + self_.shards.offset(shard), values.data(), values.size());
  const v1::StateManifest& manifest = source.manifest();
  const uint64_t hash =
      mode_ == FetchMode::kOneCopy ? manifest.shard_hashes(static_cast<int>(shard)) : 0;
  origins_[shard] = {source.donor(), hash, step, manifest.samples()};
  behind_.clear();
  for (const auto& other : sources_) other->Forget(shard);
  if (++count_here_ == origins_.size()) Complete();
  return !done_;
}

void StateFetcher::OnLost(StateSource& source, absl::Status why) {
  const PeerId donor = source.donor();
  Replace(source);
  if (!done_) events_.on_lost(donor, std::move(why));
}

void StateFetcher::Replace(const StateSource& source) {
  for (const uint32_t shard : source.asked()) {
    const bool elsewhere =
        std::any_of(sources_.begin(), sources_.end(), [shard](const auto& other) {
          return !other->ended() && other->asked().count(shard) > 0;
        });
    if (!elsewhere) open_.insert(shard);
  }
  for (const auto& other : sources_) other->RequestMore();
  PostOwn([this] {
    std::erase_if(sources_, [](const auto& each) { return each->ended(); });
  });
}

void StateFetcher::Complete() {
  FetchedState state;
  const Origin* oldest = &origins_.front();
  for (const Origin& origin : origins_) {
    ++state.donors[origin.donor];
    if (origin.step < oldest->step) oldest = &origin;
  }
  if (mode_ == FetchMode::kOneCopy) {
    const auto source = std::find_if(sources_.begin(), sources_.end(),
                                     [](const auto& each) { return !each->ended(); });
    STARLING_CHECK(source != sources_.end());
    const SharedBytes values = std::move(values_).Freeze();
    if (!MatchesManifest((*source)->manifest(), values)) {
      values_ = pool_->Take(self_.shards.elements);
      for (uint32_t shard = 0; shard < origins_.size(); ++shard) DropShard(shard);
      (*source)->End();
      Replace(**source);
      events_.on_lost((*source)->donor(),
                      absl::DataLossError(absl::StrCat(
                          "parameters from donor ", (*source)->donor().ToString(), " at ",
                          (*source)->address(), " do not match their hash")));
      return;
    }
    state.snapshot.values = values;
  } else {
    state.snapshot.values = std::move(values_).Freeze();
  }
  state.snapshot.step = oldest->step;
  state.snapshot.samples = oldest->samples;
  done_ = true;
  for (const auto& source : sources_) source->End();
  events_.on_done(std::move(state));
}

}  // namespace starling
