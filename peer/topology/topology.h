// Who mixes with whom in a round, and with what weight: the mixing matrix, row by row.
//
// A topology is a pure function of (members, self, round, segment, seed). It holds nothing but its
// own parameters, so every member computes everybody's row without asking anybody, a round that
// somebody missed confuses nothing, and one object may be used by any number of threads. What looks
// random is derived from those numbers anew in each call and never drawn from a stream.
//
// Members agree on a round only if they agree on the whole tuple. So the caller gives `seed` the
// run's seed and the epoch of the membership, and refuses what comes from another epoch.

#ifndef STARLING_PEER_TOPOLOGY_TOPOLOGY_H_
#define STARLING_PEER_TOPOLOGY_TOPOLOGY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starling {

// A member's place in a round. Members are numbered 0, ..., members - 1 by ascending PeerId;
// everybody in one view counts alike.
struct RoundPlace {
  size_t members = 1;    // >= 1
  size_t self = 0;       // < members
  uint64_t round = 0;    // of the whole swarm
  uint32_t segment = 0;  // a part of the parameters that mixes on its own; 0 if all go together
  uint64_t seed = 0;     // the same at every member
};

struct Inbound {
  size_t from;
  double weight;  // of `from`'s values in self's mix; > 0

  friend bool operator==(const Inbound&, const Inbound&) = default;
};

// One row of the mixing matrix, and the pattern of one column.
struct Neighbours {
  std::vector<Inbound> in;  // ascending, distinct, never self
  std::vector<size_t> out;  // ascending: exactly those in whose `in` self is

  friend bool operator==(const Neighbours&, const Neighbours&) = default;
};

// The weight of self's own values: 1 - the sum of the weights of `in`. Never below 0.
double OwnWeight(const Neighbours& neighbours);

class Topology {
 public:
  virtual ~Topology() = default;

  // As in the table of topology_registry.h.
  virtual absl::string_view name() const = 0;

  // Defined for every place with self < members (aborts otherwise), whatever Supports() says:
  // members come and go. Whoever has no partner in a round mixes with nobody; with 1 member that is
  // always so. Costs O(degree) where there is a closed form, O(members) for what is random.
  virtual Neighbours Of(const RoundPlace& place) const = 0;

  // True: all members in every round, with equal weights. Do it by a reduction, 2(n-1)/n of the
  // model per member, and not neighbour by neighbour, n - 1 models.
  virtual bool everyone() const { return false; }

  // w_ij == w_ji in every round: whoever is mixed with mixes too, so an exchange of pairs serves.
  virtual bool symmetric() const = 0;

  // The weights that leave a member add up to 1 too (those that arrive always do), so a round
  // leaves the mean where it is. Where this is false, use push-sum.
  virtual bool doubly_stochastic(size_t /*members*/) const { return true; }

  // Any so many consecutive rounds of one segment, whichever the first, bring `members` members to
  // their exact mean. 0: no number is promised (and for 1 member, which is its mean).
  virtual uint64_t exact_after(size_t /*members*/) const { return 0; }

  // Does it do with `members` members what it is known for? To be asked once, at the start of a
  // run.
  // INVALID_ARGUMENT: no; says why and what to use instead.
  virtual absl::Status Supports(size_t /*members*/) const { return absl::OkStatus(); }
};

}  // namespace starling

#endif  // STARLING_PEER_TOPOLOGY_TOPOLOGY_H_
