// Who is in the swarm, by leases: the coordinator's memory, without clock, thread or socket.
//
// A member takes a lease when it joins and renews it with every heartbeat. A lease that runs out
// makes its member DEAD if the swarm agrees: while somebody who renews its own lease still has direct
// contact with it, it has only lost the way to us, and is SUSPECT, which keeps its place and slot but
// takes part in no round. Saying goodbye makes a member LEFT. Rows of the departed stay for a day, so
// that people can see what failed and why.
//
//   Join ─► living (JOINING, ALIVE, or ──lease ran out, nobody sees it──► DEAD ─┐ forgotten after
//             ▲     SUSPECT without lease) ──────Leave──────────────────► LEFT ─┴─ `departed_kept`
//             └── Join again (DEAD: same incarnation will do; LEFT: a higher one is needed)
//
// Of two joins with one id the higher incarnation is true: it takes the row over, the lower one is
// refused. Slots number the living from 0; a newcomer takes the lowest that nobody living holds,
// a member that comes back its former one if that is free.
//
// The fencing epoch is (start number << 32) + changes: it grows with every start of the coordinator
// and with every change of the living, so an old plan is known by its epoch.
//
// After a start, and whenever Grace is called, nobody is evicted for two leases: members need the
// time to find the way back.
//
// Not thread-safe. Every method takes the present time, which never goes back.

#ifndef STARLING_COORDINATOR_REGISTRY_H_
#define STARLING_COORDINATOR_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "peer/runtime/ids.h"
#include "proto/peer.pb.h"

namespace starling {

struct RegistryOptions {
  // How long a member may be silent. Up: fewer false evictions on a bad network; down: failures
  // are seen sooner. A failure is noticed after between lease - heartbeat and lease.
  absl::Duration lease = absl::Seconds(5);
  // How often members renew. Down: a lease survives more lost heartbeats, at members / heartbeat
  // calls a second. At most half the lease.
  absl::Duration heartbeat = absl::Seconds(1);
  // Living members at most; more are refused. Bounds memory and the size of a view.
  size_t max_members = 1024;
  // Rows of the departed at most (the oldest go first), and for how long.
  size_t max_departed = 256;
  absl::Duration departed_kept = absl::Hours(24);

  static RegistryOptions Lan() { return {}; }
  // One host, demonstrations and tests.
  static RegistryOptions Fast();
  static RegistryOptions Wan();

  // INVALID_ARGUMENT naming the field.
  absl::Status Validate() const;
};

class Registry {
 public:
  // `start_number` < 2^32 grows with every start of this coordinator.
  Registry(const RegistryOptions& options, uint64_t start_number, absl::Time now);

  // Gives `member` a lease; its id must not be 0. An unchanged repetition renews. On OK the row
  // with its slot is in Find(). INVALID_ARGUMENT: the address is empty, too long or not host:port.
  // ALREADY_EXISTS: this id is registered with a higher incarnation, or has left with this one.
  // RESOURCE_EXHAUSTED: max_members are living.
  absl::Status Join(absl::Time now, const v1::Member& member);

  // NOT_FOUND: no living member with this id and incarnation.
  absl::Status Renew(absl::Time now, PeerId id, uint64_t incarnation, uint64_t step,
                     v1::PeerState state);

  // Which members the holder of a lease has no contact with, as of now. Without such reports leases
  // alone decide.
  void SetMissing(PeerId reporter, std::vector<PeerId> missing);

  // How long the holder of a lease says that its part of an averaging round takes at least.
  void SetAveragingTime(PeerId reporter, absl::Duration time);
  // The longest of those who train.
  absl::Duration LongestAveraging() const;

  // Makes a living member LEFT. Anything else is left as it is: leaving twice is no mistake.
  void Leave(absl::Time now, PeerId id, uint64_t incarnation, absl::string_view reason);

  // The silence of the members was, or may have been, our own deafness.
  void Grace(absl::Time now) { grace_ends_ = now + 2 * options_.lease; }

  // Makes members whose lease ran out DEAD or SUSPECT, and forgets departed rows that are too old.
  void Expire(absl::Time now);

  uint64_t epoch() const { return (start_number_ << 32) + changes_; }
  size_t living() const { return living_; }
  // Null if there is no such row.
  const v1::Member* Find(PeerId id) const;
  // Every row, the departed included, by ascending id.
  std::vector<v1::Member> Members() const;
  // Rows as they were after each change since the last call, in order: for the log.
  std::vector<v1::Member> TakeChanges();

 private:
  struct Row {
    v1::Member member;
    absl::Time renewed;   // last sign of life, while living
    absl::Time departed;  // while not
    bool looks_after_others = false;
    std::vector<PeerId> missing;  // ascending
    absl::Duration averaging;
  };

  size_t SeenBy(absl::Time now, PeerId id) const;

  uint32_t ChooseSlot(uint32_t former, uint32_t wanted) const;
  void Changed(const v1::Member& member);
  void Depart(absl::Time now, Row& row, v1::PeerState state, std::string reason);
  void ForgetOldest();

  const RegistryOptions options_;
  const uint64_t start_number_;
  absl::Time grace_ends_;
  std::map<PeerId, Row> rows_;
  size_t living_ = 0;
  uint64_t changes_ = 0;
  std::vector<v1::Member> change_log_;
};

// JOINING or ALIVE: holds a lease. SUSPECT: lost it, but others see it.
inline bool IsLiving(const v1::Member& member) {
  return member.state() == v1::PEER_STATE_JOINING || member.state() == v1::PEER_STATE_ALIVE ||
         member.state() == v1::PEER_STATE_SUSPECT;
}

}  // namespace starling

#endif  // STARLING_COORDINATOR_REGISTRY_H_
