// With whom a worker exchanges.

#ifndef STARLING_PEER_GOSSIP_PEER_SELECTOR_H_
#define STARLING_PEER_GOSSIP_PEER_SELECTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/optional.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "peer/topology/topology.h"

namespace starling {

struct Candidate {
  PeerId id;
  // Holds the centre and does not train.
  bool centre = false;
  // Running loss as last heard; 0 if it has none yet.
  double loss = 0;
};

struct Selection {
  // The others that are alive and answer exchanges, ascending by id, never self.
  const std::vector<Candidate>& others;
  Candidate self;
  // Counts the exchanges that were due so far.
  uint64_t round = 0;
};

struct Choice {
  PeerId peer;
  // Which of the trainer's tethers the other's values become the anchor of (Algorithm::tethers).
  uint32_t tether = 0;

  friend bool operator==(const Choice&, const Choice&) = default;
};

// A pure function of the selection and the random numbers drawn.
class PeerSelector {
 public:
  virtual ~PeerSelector() = default;
  // nullopt: with nobody, this time.
  virtual absl::optional<Choice> Select(const Selection& selection, Random& random) const = 0;
};

// Every worker with equal probability.
std::unique_ptr<PeerSelector> MakeUniformSelector();

// Workers near in the unit square are likelier: weight 1 / (distance + 1e-5)^penalty, places drawn
// by hash of id and seed. penalty >= 0; 0 is uniform. (The reference code of Elastic Gossip.)
std::unique_ptr<PeerSelector> MakeDistanceSelector(double penalty, uint64_t seed);

// The centre, the one of lowest id if there are several. Without one a uniformly random worker, so
// that the swarm lives on; never anybody for the centre itself.
std::unique_ptr<PeerSelector> MakeCentreSelector();

// The leader: the member with the lowest loss among all (tether 0), or every time but each
// `global_every`-th among the own of `groups` groups of equal rank modulo groups (tether 1). A loss
// that is not finite, or is not known yet, never leads; ties go to the lowest id. Nobody if self
// leads. groups, global_every >= 1.
std::unique_ptr<PeerSelector> MakeLeaderSelector(uint32_t groups, uint64_t global_every);

// The one to whom `topology` sends in this round, among workers and self. If there are several, one
// of them at random.
std::unique_ptr<PeerSelector> MakeTopologySelector(std::shared_ptr<const Topology> topology,
                                                   uint64_t seed);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_PEER_SELECTOR_H_
