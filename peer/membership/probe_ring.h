// In which order members are looked for: all in turn, in a random order that is drawn anew for each round;
// a newcomer gets a random place in the present one. So each is looked for at least once in two rounds,
// and never by everybody at the same time (SWIM: Das, Gupta, Motivala 2002).
//
// A value; pure but for the Random that it is given.

#ifndef STARLING_PEER_MEMBERSHIP_PROBE_RING_H_
#define STARLING_PEER_MEMBERSHIP_PROBE_RING_H_

#include <cstddef>
#include <vector>

#include "absl/functional/function_ref.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"

namespace starling {

class ProbeRing {
 public:
  explicit ProbeRing(Random random) : random_(random) {}

  // `id` is not in it.
  void Insert(PeerId id);
  void Remove(PeerId id);
  size_t size() const { return order_.size(); }

  // The next that is `eligible`; an empty id if nobody is.
  PeerId Next(absl::FunctionRef<bool(PeerId)> eligible);

 private:
  Random random_;
  std::vector<PeerId> order_;
  size_t next_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_PROBE_RING_H_
