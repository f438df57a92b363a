// Who is alive, as one peer sees it: pure, by the plain rule that everybody calls everybody.
//
// Each member is called ("ping") every ping_interval, at a moment of the interval that follows from
// its id, so that the calls of one peer are spread out. What counts:
//
//                       answer                        silent for dead_after
//   heard of ─► candidate ──► JOINING / ALIVE ◄──────────────► SUSPECT ─────► DEAD
//                             (as it says itself)  a call fails or             │
//                                    │             goes unanswered             │ heal_interval:
//                                    ▼ goodbye                                 ▼ called again
//                                  LEFT (final for its incarnation)
//
// * An answer shows that a member can be reached, and only that makes it ALIVE. A call from it
//   shows that it lives: it is then never DEAD, and is called back at once if it was not ALIVE.
// * Members learned from others are candidates: called at once, and invisible until they answer or
//   have been silent for dead_after. That somebody else thinks a member DEAD means nothing; that it
//   LEFT is believed, for it is the member's own word passed on. The coordinator's DEAD is believed
//   of members not heard for dead_after.
// * Of two incarnations of one id the higher is true. One higher than our own, under our own id,
//   means that another process took our place: superseded().
// * Members of another run are INCOMPATIBLE and never chosen.
// * If OnTick comes late, this process was stopped, and its deafness is not held against others.
//
// SWIM with indirect calls and suspicion timers fits behind the same inputs and outputs.
//
// Not thread-safe. `now` never goes back. After each input, take the calls to make and transitions.

#ifndef STARLING_PEER_MEMBERSHIP_MEMBERSHIP_H_
#define STARLING_PEER_MEMBERSHIP_MEMBERSHIP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "peer/membership/membership_view.h"
#include "peer/membership/options.h"
#include "peer/runtime/ids.h"
#include "proto/coordinator.pb.h"
#include "proto/peer.pb.h"

namespace starling {

// A call to make. Its outcome goes to OnAnswer or OnNoAnswer, exactly once.
struct PingAction {
  std::string address;
  // Who should answer; none for a seed, of which only the address is known.
  PeerId expected;
  absl::Duration timeout;
};

// What changed, for the log. `from` is UNSPECIFIED for a member not seen before.
struct MemberTransition {
  v1::Member member;
  v1::PeerState from;
};

class Membership {
 public:
  // `self` has id, incarnation and address. An empty `run` is compatible with every run.
  Membership(const MembershipOptions& options, const v1::Member& self, RunId run, absl::Time now);

  // Calls `address` until somebody answers there, and again every heal_interval while nobody does: whoever
  // it was may have left, and whoever comes next may know a swarm that has lost sight of us. Our own
  // address is ignored.
  void AddSeed(absl::Time now, const std::string& address);

  // What we say about ourselves.
  void SetLocal(uint64_t step, v1::PeerState state, double loss = 0);
  void SetSlot(uint32_t slot);

  // About ten times per ping_interval.
  void OnTick(absl::Time now);
  void OnAnswer(absl::Time now, const PingAction& ping, const v1::ControlResponse& response,
                absl::Duration round_trip);
  void OnNoAnswer(absl::Time now, const PingAction& ping, absl::string_view why);
  // A call from somebody: `request` carries a ping.
  void OnPing(absl::Time now, const v1::ControlRequest& request);
  void OnGoodbye(absl::Time now, const v1::Member& sender, absl::string_view reason);
  void OnSwarmView(absl::Time now, const v1::SwarmView& view);
  // A hint that something is wrong there: whoever it is, is called out of turn.
  void OnPathBroken(absl::Time now, const std::string& address);

  std::vector<PingAction> TakePings();
  std::vector<MemberTransition> TakeTransitions();
  // True once after a change that choosers of peers should see at once: not steps or times.
  bool TakeChanged();

  // The next at most members_per_message rows, in turn: what a ping or its answer carries.
  std::vector<v1::Member> MembersToSend();

  // `settled` is left to the caller, who knows about the coordinator.
  MembershipView Snapshot() const;
  const v1::Member& self() const { return self_; }
  // Members that answer, ourselves included.
  size_t reachable() const;
  // True once each seed was tried.
  bool seeds_tried() const;
  bool any_seed_answered() const { return any_seed_answered_; }
  // True while somebody we heard of has neither answered nor failed to.
  bool has_untried() const;
  // True if some other member is in training.
  bool anyone_training() const;
  // Why we must stop: "" unless another process took our id.
  const std::string& superseded() const { return superseded_; }
  // "" unless a seed turned out to belong to another run: then who, and which.
  const std::string& foreign_seed() const { return foreign_seed_; }

 private:
  struct Row {
    // Its state is our verdict; UNSPECIFIED marks a candidate.
    v1::Member member;
    // What it says about itself: JOINING or ALIVE.
    v1::PeerState told = v1::PEER_STATE_JOINING;
    absl::Time since;  // of the state
    absl::Time heard;  // last sign of life, or when we learned of it
    bool met = false;  // `heard` is a sign of life
    absl::Time next_ping;
    bool pinging = false;
    absl::Time pinged = absl::InfinitePast();
    std::string failure;  // of the last call; "" if it was answered
    absl::Duration rtt;
  };
  struct Seed {
    absl::Time next_ping;
    bool pinging = false;
    bool tried = false;
    bool answered = false;
  };

  Row* Contact(absl::Time now, const v1::Member& sender, uint64_t run_id);
  Row* Introduce(absl::Time now, const v1::Member& member);
  // What a peer, or the coordinator, says about somebody else.
  void Learn(absl::Time now, const v1::Member& member);
  void LearnFromCoordinator(absl::Time now, const v1::Member& member);
  void NoteOwnIncarnation(const v1::Member& member);
  void SetState(absl::Time now, Row& row, v1::PeerState state, std::string reason);
  void MarkDead(absl::Time now, Row& row);
  void Ping(absl::Time now, Row& row);
  void PingIfDue(absl::Time now, Row& row);
  bool AnswersAt(const std::string& address) const;
  bool AddressTaken(const Row& row) const;
  absl::Time NextTurn(absl::Time now, uint64_t id) const;
  void ForgiveOwnPause(absl::Time now);
  void ForgetDeparted(absl::Time now);

  const MembershipOptions options_;
  const RunId run_;
  const absl::Time origin_;
  v1::Member self_;
  std::map<PeerId, Row> rows_;
  std::map<std::string, Seed> seeds_;
  absl::Time last_tick_;
  PeerId send_cursor_;
  std::vector<PingAction> pings_;
  std::vector<MemberTransition> transitions_;
  bool changed_ = false;
  bool any_seed_answered_ = false;
  std::string superseded_;
  std::string foreign_seed_;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_MEMBERSHIP_H_
