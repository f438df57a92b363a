// Who is alive, as one peer sees it: SWIM with Lifeguard's refinements, pure.
//
//   heard of ─► candidate ──answers──► JOINING / ALIVE ◄──refuted──► SUSPECT ──respite over──► DEAD
//                            (as it says itself)│ ▲                                             │
//                                     goodbye   │ └───── called now and then, refutes ──────────┘
//                                               ▼
//                                 LEFT (final for its incarnation)
//
// Looking for members. Every interval one other, in a random order (probe_ring.h), is called. If it does
// not answer in time, `helpers` others are asked to call it; if nobody reaches it either, it is suspected,
// and everybody is told. Hints (a broken path, a refused call) cause a look out of turn, never a verdict.
//
// Suspicion. Whoever is suspected hears of it with the next call that it makes or gets, contradicts by
// raising its `refutations`, and that spreads. It has the longer to do so the fewer accuse it
// (suspicion.h) and the worse our own health is (local_health.h). SUSPECT is never chosen for exchanges;
// only DEAD is no member any more. A death that comes as news, of a member that answered us a moment ago,
// has us look for it first: so a peer that is deaf itself kills nobody.
//
// What spreads. Each row of the table carries (incarnation, refutations), which only its owner raises;
// proto/peer.proto says which of two rows is true. News rides on every call and answer (rumours.h), calls
// go to `gossip_fanout` members every gossip_interval, fresh news at once; whole tables are compared now
// and then, on joining, after a pause of our own, and when somebody comes back from the dead.
//
// What the shown state adds to the verdict that spreads:
// * Members heard of from others are candidates: called at once and invisible until looked for. Nobody
//   is shown as ALIVE before it has answered us ourselves. One that answers others but not us is ALIVE to
//   the swarm and SUSPECT here: nothing can be exchanged with it.
// * A call from a member shows that it lives: while it calls it is never DEAD by our own verdict.
// * QUARANTINED hides reachable members that sent bad data, here only, for a time.
// * Members of another run are INCOMPATIBLE and never chosen.
// * The coordinator's DEAD is believed of members that are silent here too.
//
// Of two incarnations of one id the higher is true. One higher than our own, under our own id, means that
// another process took our place: superseded(). If no input comes for longer than a call may take, this
// process was stopped: what went unanswered meanwhile is not held against others, and tables are
// compared at once. After a standstill of more than a probe interval we are out of touch until the first of
// them has been: others may have given us up, died or left meanwhile.
//
// Not thread-safe. `now` never goes back. After each input, take the calls to make and transitions.

#ifndef STARLING_PEER_MEMBERSHIP_MEMBERSHIP_H_
#define STARLING_PEER_MEMBERSHIP_MEMBERSHIP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/membership/local_health.h"
#include "peer/membership/membership_view.h"
#include "peer/membership/options.h"
#include "peer/membership/probe_ring.h"
#include "peer/membership/round_trips.h"
#include "peer/membership/rumours.h"
#include "peer/membership/straggler.h"
#include "peer/membership/suspicion.h"
#include "peer/runtime/holding.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "proto/coordinator.pb.h"
#include "proto/peer.pb.h"
#include "proto/status.pb.h"

namespace starling {

// A call to make: FillRequest says what with. Its outcome goes to OnAnswer or OnNoAnswer, exactly once.
struct PingAction {
  enum class Purpose {
    kProbe,   // is it there?
    kHelp,    // asks `expected` to look for `target`
    kRelay,   // is it there, on behalf of somebody else?
    kGossip,  // passes news on
    kSync,    // compares tables
    kRetry,   // are the dead back?
    kSeed,    // who is there, and who else? Compares tables.
  };
  Purpose purpose = Purpose::kProbe;
  std::string address;
  // Who should answer; none for a seed, of which only the address is known.
  PeerId expected;
  absl::Duration timeout;
  absl::Time sent;
  uint64_t probe = 0;  // kProbe, kHelp: which
  PeerId target;       // kHelp
};

// What changed, for the log. `from` is UNSPECIFIED for a member not seen before.
struct MemberTransition {
  v1::Member member;
  v1::PeerState from;
};

class Membership {
 public:
  // `self` has id, incarnation and address. An empty `run` is compatible with every run.
  Membership(const MembershipOptions& options, const v1::Member& self, RunId run, absl::Time now,
             Random random);

  // Calls `address` until somebody answers there, and again every heal_interval while nobody does: whoever
  // it was may have left, and whoever comes next may know a swarm that has lost sight of us. Our own
  // address is ignored.
  void AddSeed(absl::Time now, const std::string& address);

  // What we say about ourselves.
  void SetLocal(uint64_t step, v1::PeerState state, double loss = 0);
  void SetSlot(uint32_t slot);

  // Every tick_interval().
  void OnTick(absl::Time now);
  // False after a standstill of our own, until we have compared tables with somebody, or nobody is there to do
  // it with. An input like others: the first to come after a standstill notices it.
  bool InTouch(absl::Time now);
  absl::Duration tick_interval() const;
  void OnAnswer(absl::Time now, const PingAction& ping, const v1::ControlResponse& response,
                absl::Duration round_trip);
  void OnNoAnswer(absl::Time now, const PingAction& ping, absl::string_view why);
  // A call from somebody: `request` carries a ping.
  void OnPing(absl::Time now, const v1::ControlRequest& request);
  // The same with a table; the answer is Table().
  void OnSync(absl::Time now, const v1::ControlRequest& request);
  // The same with a request for help: the call to make, or nullopt if that cannot be.
  absl::optional<PingAction> OnPingRequest(absl::Time now, const v1::ControlRequest& request);
  void OnGoodbye(absl::Time now, const v1::Member& sender, absl::string_view reason);
  void OnSwarmView(absl::Time now, const v1::SwarmView& view);
  // A hint that something is wrong there: whoever it is, is looked for out of turn.
  void OnPathBroken(absl::Time now, const std::string& address);
  // It sent bad data: nothing is exchanged with it until then.
  void OnQuarantine(absl::Time now, PeerId id, absl::Time until, absl::string_view reason);

  std::vector<PingAction> TakePings();
  std::vector<MemberTransition> TakeTransitions();
  // True once after a change that choosers of peers should see at once: not steps or times.
  bool TakeChanged();

  // The body of a call. Sender and run are the caller's to fill.
  void FillRequest(const PingAction& ping, v1::ControlRequest* request);
  // News for `listener`, which counts as told: what a ping or its answer carries.
  std::vector<v1::Member> MembersToSend(PeerId listener);
  // Everybody, ourselves included, as the swarm should see them.
  std::vector<v1::Member> Table() const;

  // `settled` is left to the caller, who knows about the coordinator.
  MembershipView Snapshot() const;
  const v1::Member& self() const { return self_; }
  // Members that answer, ourselves included.
  size_t reachable() const {
    return 1 + shown_[v1::PEER_STATE_JOINING] + shown_[v1::PEER_STATE_ALIVE];
  }
  // True once each seed was tried.
  bool seeds_tried() const;
  bool any_seed_answered() const { return any_seed_answered_; }
  // True while somebody we heard of has neither answered nor failed to.
  bool has_untried() const;
  // True if some other member is in training.
  bool anyone_training() const { return shown_[v1::PEER_STATE_ALIVE] > 0; }
  // True if somebody reachable has this address.
  bool AnswersAt(const std::string& address) const;
  // Why we must stop: "" unless another process took our id.
  const std::string& superseded() const { return superseded_; }
  // "" unless a seed turned out to belong to another run: then who, and which.
  const std::string& foreign_seed() const { return foreign_seed_; }

  v1::DetectorStatus Status(absl::Time now) const;
  // Members that do not answer us, at most 256.
  std::vector<PeerId> Missing() const;
  // Adds what only the table knows to a row of status.
  void FillStatus(absl::Time now, PeerId id, v1::PeerStatus* status) const;
  void AddHoldings(Holdings* holdings) const;
  // Intervals and deadlines as they are now, and why.
  std::vector<v1::EffectiveValue> EffectiveValues() const;
  // How long one call may take, and how long a look for somebody takes at most.
  absl::Duration ping_timeout() const;
  absl::Duration period() const;
  // Ourselves and those that are neither DEAD nor gone: what the formulas of options.h are about.
  size_t members() const { return members_; }

 private:
  // Measured round trips stretch ping_timeout by this at most.
  static constexpr double kLongestStretch = 10;
  // Calls that must fail in a row before a member that others reach is given up here.
  static constexpr int kPatienceWithLink = 3;

  // What we tell others of a member.
  enum class Verdict { kLiving, kSuspect, kDead, kLeft, kIncompatible };
  // Whether it can be reached from here.
  enum class Link { kUntried, kGood, kBroken };
  struct Row {
    // Its state is what is shown; UNSPECIFIED marks a candidate.
    v1::Member member;
    // What it says about itself: JOINING or ALIVE.
    v1::PeerState told = v1::PEER_STATE_JOINING;
    Verdict verdict = Verdict::kLiving;
    Link link = Link::kUntried;
    absl::optional<Suspicion> suspicion;
    // Somebody says that it is dead, which we do not believe yet: it is told so.
    bool accused = false;
    absl::Time since;  // of the shown state
    absl::Time heard;  // last sign of life, or when we learned of it
    bool met = false;  // `heard` is a sign of life
    bool answered = false;  // a call of ours, ever
    absl::Time probed = absl::InfinitePast();
    absl::Time next_call;     // of the dead and incompatible
    bool calling = false;     // such a call, or gossip, is under way
    int unanswered = 0;       // calls in a row
    std::string failure;      // of the last call; "" if it was answered
    absl::Duration rtt;
    Straggler straggler;
    absl::Time quarantined_until = absl::InfinitePast();
    std::string quarantine;  // why
  };
  struct Probe {
    PeerId target;
    absl::Time deadline;
    bool in_turn = false;
    bool forgiven = false;  // we stood still meanwhile: it proves nothing
    bool asked = false;     // helpers were
    bool refused = false;   // the call failed at once: that was no slowness of ours
    int helpers_waiting = 0;
    int helpers_silent = 0;
  };
  struct Seed {
    absl::Time next_ping;
    bool pinging = false;
    bool tried = false;
    bool answered = false;
  };

  // membership.cc: the table.
  Row* Contact(absl::Time now, const v1::Member& sender, uint64_t run_id);
  Row* Introduce(absl::Time now, const v1::Member& member);
  void TakeWord(Row& row, const v1::Member& member);
  void TakeStep(absl::Time now, Row& row, const v1::Member& member);
  Row* Heard(absl::Time now, const v1::ControlRequest& request);
  void Forget(std::map<PeerId, Row>::iterator row);
  Row* Find(PeerId id);
  void Reached(absl::Time now, Row& row, absl::Duration round_trip);
  void SetVerdict(absl::Time now, Row& row, Verdict verdict, const std::string& reason);
  // The verdict or the shown state alone, and the counts of them.
  void Believe(Row& row, Verdict verdict);
  void ShowAs(Row& row, v1::PeerState state);
  static bool IsMember(const Row& row) {
    return row.verdict == Verdict::kLiving || row.verdict == Verdict::kSuspect;
  }
  void Show(absl::Time now, Row& row, const std::string& reason);
  void SetState(absl::Time now, Row& row, v1::PeerState state, std::string reason);
  void ForgetDeparted(absl::Time now);
  void NoteOwnPause(absl::Time now);
  void BackInTouch() { in_touch_again_ = absl::InfinitePast(); }

  // membership_probe.cc: looking for members, and verdicts.
  void StartProbe(absl::Time now, Row& row, bool in_turn = false);
  // Unless that was done a moment ago.
  void LookAgain(absl::Time now, Row& row);
  void ProbeNext(absl::Time now);
  void EndOverdueProbes(absl::Time now);
  void AskHelpers(absl::Time now, uint64_t number, Probe& probe);
  void OnHelperAnswer(absl::Time now, const PingAction& ping, const v1::PingReport& report);
  void HelperIsDone(absl::Time now, uint64_t number);
  void ProbeSucceeded(uint64_t number);
  void DropProbe(uint64_t number);
  void ProbeFailed(absl::Time now, uint64_t number);
  void Suspect(absl::Time now, Row& row, const std::vector<PeerId>& accusers,
               const std::string& reason);
  void MarkDead(absl::Time now, Row& row, std::string reason);
  void Judge(absl::Time now, Row& row);

  // membership_hearsay.cc: what others say about third parties.
  void Learn(absl::Time now, const v1::Member& member);
  void LearnAll(absl::Time now, const google::protobuf::RepeatedPtrField<v1::Member>& members);
  void LearnOfSelf(const v1::Member& member);
  void LearnSuspicion(absl::Time now, Row& row, const v1::Member& member);
  void LearnDeath(absl::Time now, Row& row, const v1::Member& member);
  void LearnFromCoordinator(absl::Time now, const v1::Member& member);
  void Revive(absl::Time now, Row& row, const v1::Member& member);

  // membership_gossip.cc: calling members, seeds and the dead to pass on what we know.
  void Gossip(absl::Time now);
  void Sync(absl::Time now, Row& row);
  void SyncInTurn(absl::Time now);
  void CallSeeds(absl::Time now);
  void CallDeparted(absl::Time now, Row& row);
  void News(PeerId about);
  v1::Member ToSend(const Row& row) const;
  bool AddressTaken(const Row& row) const;
  absl::Duration SyncInterval() const;
  std::vector<Row*> Choose(size_t most, bool (*eligible)(const Row& row));
  PingAction& Call(absl::Time now, PingAction::Purpose purpose, const Row& row,
                   absl::Duration timeout);

  const MembershipOptions options_;
  const RunId run_;
  v1::Member self_;
  Random random_;
  std::map<PeerId, Row> rows_;
  size_t members_ = 1;  // rows that count as such, and ourselves
  std::array<size_t, v1::PeerState_ARRAYSIZE> shown_ = {};  // rows by the state that is shown
  mutable PeerId untried_;  // one that was, when somebody looked
  std::map<std::string, Seed> seeds_;
  ProbeRing ring_;
  std::map<uint64_t, Probe> probes_;
  std::map<PeerId, uint64_t> probe_of_;  // at most one each
  uint64_t next_probe_number_ = 1;
  LocalHealth health_;
  RoundTrips round_trips_;
  Rumours rumours_;
  PeerId send_cursor_;
  absl::Time last_input_;
  absl::Time next_probe_;
  absl::Time last_gossip_ = absl::InfinitePast();
  absl::Time next_gossip_;
  absl::Time last_sync_ = absl::InfinitePast();
  absl::Time next_sync_;
  int syncs_due_ = 0;  // at once
  absl::Time woke_ = absl::InfinitePast();  // from the last standstill
  // We are out of touch until then at the latest.
  absl::Time in_touch_again_ = absl::InfinitePast();
  std::vector<PingAction> pings_;
  std::vector<MemberTransition> transitions_;
  v1::DetectorStatus counters_;
  bool changed_ = false;
  bool any_seed_answered_ = false;
  std::string superseded_;
  std::string foreign_seed_;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_MEMBERSHIP_H_
