// A newcomer's side of state transfer: puts a whole vector of parameters together from what donors hold
// for it, each shard verified by hash. The owner says which donors; each is a StateSource.
//
// kOneCopy: from one donor at a time, so the result is exactly what that donor held, and the hash of the
// whole is checked too. Of a donor before it, the shards stay that the next one holds as well.
//
// kPatchwork: from several donors at once, each shard from whoever is next to have a free place, as it is at
// that moment; so shards are of different models, and donors make no copy of the whole. That is what exchanges make anyway, in
// which shards travel and are committed one by one, and costs nothing where the donors are near each
// other; donors more than max(100, 2 %) steps apart are not mixed: who is behind what is here is let go, and
// taken all the same when it is asked again and nobody has sent anything since, because whoever was as far is
// gone; what is here is dropped then. A lost donor's shards stay, and those
// it still owed are asked of the others: a cut costs what was under way. In the end, when everything
// is asked for, whoever is idle is asked for what another is slow with.
//
// One fetch per object; destroy it to cancel. Executor: control.

#ifndef STARLING_PEER_STATE_STATE_FETCHER_H_
#define STARLING_PEER_STATE_STATE_FETCHER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "peer/gossip/admission.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/state/state_source.h"
#include "peer/training/parameter_owner.h"
#include "peer/transport/transport.h"

namespace starling {

enum class FetchMode { kOneCopy, kPatchwork };

struct FetchedState {
  // Step and samples are those of the donor that was furthest behind.
  Snapshot snapshot;
  // Shards by donor.
  std::map<PeerId, uint32_t> donors;
};

class StateFetcher : public Actor, private StateSource::Owner {
 public:
  struct Events {
    // A donor is of no more use: DEADLINE_EXCEEDED (silent), UNAVAILABLE (unreachable, busy, too far from the
    // others), FAILED_PRECONDITION (other model or run), DATA_LOSS (the hash of the whole does not match; what
    // came of it is dropped).
    std::function<void(PeerId, absl::Status)> on_lost;
    // Once; nothing follows. The fetcher must not be destroyed in either.
    absl::AnyInvocable<void(FetchedState)> on_done;
  };

  StateFetcher(Executor* control, Transport* transport, BufferPool* pool, const FrameIdentity& self,
               v1::ControlRequest request_template, FetchMode mode, StateSourceOptions options,
               Events events);

  // In use from now on. One that is not yet; kOneCopy has at most one. `patience`: as in the options, if longer.
  void AddDonor(PeerId donor, const std::string& address,
                absl::Duration patience = absl::ZeroDuration());
  // Nothing if it is not in use.
  void RemoveDonor(PeerId donor);
  bool Uses(PeerId donor) const;
  size_t sources() const;
  std::vector<PeerId> donors() const;
  bool done() const { return done_; }

  // A STATE_REPLY or a REFUSAL of a STATE_REQUEST, admitted. False if it is not of this fetch.
  bool OnFrame(const Frame& frame);

  uint32_t shards_here() const { return count_here_; }

 private:
  absl::Status OnManifest(StateSource& source) override;
  absl::optional<uint32_t> NextShard(const StateSource& source) override;
  bool OnShard(StateSource& source, uint32_t shard, const SharedBytes& values,
               uint64_t step) override;
  void OnLost(StateSource& source, absl::Status why) override;

  // Of a donor that is behind what is here: has it been let go for that already, and has nobody sent or promised the
  // rest since?
  bool NobodyIsAsFarAs(const StateSource& source);
  void DropShard(uint32_t shard);
  // Of a source that has ended: what it was asked for is asked of the others.
  void Replace(const StateSource& source);
  void Complete();

  Transport* const transport_;
  BufferPool* const pool_;
  const FrameIdentity self_;
  const v1::ControlRequest request_template_;
  const FetchMode mode_;
  const StateSourceOptions options_;
  Events events_;

  std::vector<std::unique_ptr<StateSource>> sources_;
  MutableBuffer values_;
  struct Origin {
    PeerId donor;
    uint64_t hash = 0;  // kOneCopy
    uint64_t step = 0;
    uint64_t samples = 0;
  };
  // Where each shard that is here came from; donor 0: it is not here.
  std::vector<Origin> origins_;
  uint32_t count_here_ = 0;
  // Neither here nor asked for.
  std::set<uint32_t> open_;
  // Let go because they are behind what is here, since the last shard came. kPatchwork.
  std::set<PeerId> behind_;
  bool done_ = false;
};

}  // namespace starling

#endif  // STARLING_PEER_STATE_STATE_FETCHER_H_
