// Runs the rounds that an algorithm is made of: takes the trainer's contributions, plans each round from
// the members it knows and the topology, carries frames, and gives the mix back.
//
// Nobody plans for the others. Rounds are numbered one after the other, from the trainer's step over the
// period on, so members that begin together number alike; one that fell behind (a newcomer, a process that
// was stopped) is refused, or hears of much higher numbers, and continues where others are. Rules:
//   * at most one round of each RoundSpec under way; the last kKept of each are kept to answer those
//     who are behind;
//   * frames of rounds to come wait, at most `early_frames`, or two of each member, of at most `early_bytes`; the
//     oldest give way, and are sent again;
//   * a member that dies, leaves or refuses us is not waited for; one that says that it takes part in no
//     more rounds is left out from then on;
//   * nothing lasts beyond the deadline (gossip/exchange_deadline.h): what the rounds so far tell, or 8 times as
//     long as this trainer took from one round to the next if that is longer, for others may be slower; the
//     ceiling in any case; and twice what the transfers take at least.
//
// Executor: control. Every method runs there.

#ifndef STARLING_PEER_ROUNDS_ROUNDS_ACTOR_H_
#define STARLING_PEER_ROUNDS_ROUNDS_ACTOR_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "peer/gossip/admission.h"
#include "peer/gossip/exchange_timing.h"
#include "peer/rounds/global_period.h"
#include "peer/rounds/positions.h"
#include "peer/rounds/round.h"
#include "peer/rounds/round_clock.h"
#include "peer/rounds/round_spec.h"
#include "peer/runtime/actor.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/holding.h"
#include "peer/training/contribution.h"
#include "peer/transport/transport.h"
#include "proto/status.pb.h"

namespace starling {

struct RoundsOptions {
  ExchangeTimingOptions timing;
  // Something is sent again after max(this, 4 smoothed round durations), within 2 s and a quarter of the deadline
  // unless the transfers take longer, then after twice as long, ...
  // Down: losses are repaired sooner; up: less is sent twice while a slow member is waited for.
  absl::Duration min_retry = absl::Milliseconds(400);
  // The final merge waits this long, and twice what the transfers take, for those who are still training.
  absl::Duration final_deadline = absl::Seconds(100);
  // Frames kept for rounds that have not begun here. Up: less is sent twice, more memory (a shard each).
  size_t early_frames = 512;
  size_t early_bytes = size_t{512} << 20;
};

struct RoundMember {
  std::string address;
  // Has made all its steps. It was in all the rounds of those steps, and answers for the last of them;
  // of background rounds, which nobody counts by steps, it makes no more.
  bool finished = false;
};

class RoundsActor : public Actor {
 public:
  struct Deps {
    Executor* control = nullptr;
    Transport* transport = nullptr;
    BufferPool* pool = nullptr;
    // Gives a mix back to the trainer.
    std::function<void(MixedRound)> finish;
  };

  // `seed` is the same at every member.
  RoundsActor(const Deps& deps, const FrameIdentity& self, std::vector<RoundSpec> specs,
              uint64_t seed, RoundsOptions options);

  // The other members that train now or have finished.
  void SetMembers(std::map<PeerId, RoundMember> members);

  // The trainer has come to a round and gives its contribution.
  void OnContribution(Contribution contribution);

  // A frame of lane ALGORITHM that is not a refusal, already admitted. Faults: as Round says;
  // UNKNOWN_ROUND: too long ago; NOT_TRAINING: this peer takes part in no more rounds.
  absl::optional<FrameFault> OnFrame(Frame frame, const std::shared_ptr<ReplyPath>& reply);
  void OnRefusal(const v1::ShardHeader& header);

  // The trainer contributes nothing any more. Rounds under way go on; those behind are still answered.
  void SetFinished() { finished_ = true; }
  // Ends everything; the trainer is not called any more.
  void Stop();

  v1::AveragingStatus Status() const;
  std::vector<v1::EffectiveValue> EffectiveValues() const;
  void AddHoldings(Holdings* holdings) const;

 private:
  struct Running {
    uint64_t number;
    std::unique_ptr<Round> round;
    absl::Time began;
    absl::Duration deadline;
    bool global = false;
    std::set<PeerId> planned;  // members when it began
  };
  struct Past {
    uint64_t number;
    std::unique_ptr<Round> round;
  };
  struct Lane {
    explicit Lane(RoundSpec its_spec, ExchangeTimingOptions options)
        : spec(std::move(its_spec)),
          global(spec.global_every, spec.global_exponent),
          timing(options) {}
    const RoundSpec spec;
    GlobalPeriod global;
    ExchangeTiming timing;
    uint64_t bytes = 0;  // of the last round, here, in both directions
    absl::optional<Running> running;
    std::deque<Past> past;
    absl::Time ended = absl::InfiniteFuture();  // the last round
    absl::Duration between;                     // the last two
    bool counted = false;  // there was a round
    uint64_t next = 0;    // least number of the next round
    Positions positions;  // of the members
    bool behind = false;  // a round was refused because it is over
  };

  // Those that a round of this lane is planned with, self included, ascending.
  std::vector<PeerId> Ids(const Lane& lane) const;
  // The members of the round under way, as they are now.
  std::vector<PeerId> IdsOfRunning(const Lane& lane) const;
  struct Deadline {
    absl::Duration after;
    absl::Duration transfer;
    std::string source;  // if that was asked
  };
  Deadline DeadlineFor(const Lane& lane, bool with_source = false) const;
  RoundTimes TimesOf(const Lane& lane) const;
  std::unique_ptr<Round> Plan(Lane& lane, uint64_t number, bool global, std::vector<PeerId> ids,
                              RoundInput input);
  // An owner hears from all members, and may be the last to begin.
  size_t MostEarly() const { return std::max(options_.early_frames, 2 * members_.size()); }
  void KeepEarly(Frame frame, std::shared_ptr<ReplyPath> reply);
  Round* Find(Lane& lane, uint64_t number);
  // `way_back` leads to `asker`, for members whose address is not known yet.
  void Carry(size_t index, uint64_t number, const Round& round, Round::Sends sends,
             ReplyPath* way_back = nullptr, PeerId asker = PeerId());
  void NotePosition(Lane& lane, PeerId peer, uint64_t number);
  // How long a member's number tells where it is.
  absl::Duration PositionsLast(const Lane& lane) const;
  // Where this peer is: in its last round, which it has ended perhaps, but still answers for.
  uint64_t PositionOf(const Lane& lane) const;
  void Replay(size_t index);
  void EndIfDone(size_t index);
  void SetTimer(size_t index);
  void OnTimer(size_t index);
  uint64_t WireNumber(size_t index, uint64_t number) const { return number * lanes_.size() + index; }

  static constexpr size_t kKept = 3;
  // Nobody gets further ahead of us than this while we are stopped; a higher number is a mistake.
  static constexpr uint64_t kFarthest = 10'000'000;

  const Deps deps_;
  const FrameIdentity self_;
  const uint64_t seed_;
  const RoundsOptions options_;

  std::vector<Lane> lanes_;
  std::vector<TimerId> timers_;
  std::map<PeerId, RoundMember> members_;
  std::set<PeerId> retired_;  // said themselves that they take part in no more rounds
  struct Early {
    Frame frame;
    std::shared_ptr<ReplyPath> reply;
  };
  std::deque<Early> early_;
  size_t early_bytes_ = 0;
  bool finished_ = false;
  bool stopped_ = false;
  v1::AveragingStatus counters_;
};

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_ROUNDS_ACTOR_H_
