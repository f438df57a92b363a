// Whether a request still speaks for its sender's present. Clocks of different machines are not compared: what
// is compared is a frame with what its own sender has said since.
//
//   silent     the sender does not answer (SUSPECT or DEAD here): a process that was stopped, and wakes up with
//              tensors in its buffers, must be heard of first
//   old life   the frame is of an earlier incarnation of its sender than we know
//   old us     it was meant for an earlier incarnation of this peer, which may have answered it
//   passed     the sender is known to have been beyond that step for longer than `bound`
//
// The bound is twice the longest deadline of an exchange over a line of 10 Mbit/s: its initiator gives it up at the deadline, and what
// then still lies in buffers gets as long again. As a peer is compared with nobody but itself, one that is
// ten times slower than the others is never stale by its pace.
//
// Whoever is not known at all passes: newcomers ask before they are heard of.
//
// Pure. Not thread-safe. Memory: a record a member.

#ifndef STARLING_PEER_GOSSIP_STALENESS_GATE_H_
#define STARLING_PEER_GOSSIP_STALENESS_GATE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/runtime/ids.h"
#include "proto/peer.pb.h"

namespace starling {

class StalenessGate {
 public:
  // What a member said of itself last.
  struct Word {
    Incarnation incarnation = 0;
    uint64_t step = 0;
  };

  StalenessGate(Incarnation self, absl::Duration bound) : self_(self), bound_(bound) {}

  // All members that answer, as they are known now, and those that do not. Others are forgotten.
  void SetMembers(absl::Time now, const std::map<PeerId, Word>& members, std::set<PeerId> silent);

  // Why the request is refused as stale, in one line; nullopt if it is not.
  absl::optional<std::string> Judge(absl::Time now, const v1::ShardHeader& request) const;

 private:
  struct Sighting {
    absl::Time at;
    uint64_t step = 0;
  };
  struct Record {
    Incarnation incarnation = 0;
    Sighting newer;
    absl::optional<Sighting> older;  // at least `bound` before newer
  };

  const Incarnation self_;
  const absl::Duration bound_;
  std::map<PeerId, Record> records_;
  std::set<PeerId> silent_;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_STALENESS_GATE_H_
