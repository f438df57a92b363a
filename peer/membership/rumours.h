// News of members that is still to be passed on. There is at most one piece of news about a member, because
// a newer one says all that an older one said; what it says is looked up when it is told. The least
// told go first. A piece that was told often enough to have reached everybody is dropped.
//
// Bound: the number of members. A piece of news costs O(log members) each time it is told. A value; pure.

#ifndef STARLING_PEER_MEMBERSHIP_RUMOURS_H_
#define STARLING_PEER_MEMBERSHIP_RUMOURS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "peer/runtime/ids.h"

namespace starling {

class Rumours {
 public:
  // There is news of `about`: it is told from the beginning.
  void Add(PeerId about);
  void Drop(PeerId about);

  // Those to tell `listener` now, at most `limit`; each then counts as told once more. Nobody is told
  // news of itself this way.
  std::vector<PeerId> Tell(PeerId listener, size_t limit, int retransmissions);

  size_t size() const { return pieces_.size(); }
  // Some piece has not been told at all.
  bool fresh() const { return !pieces_.empty() && pieces_.begin()->times == 0; }

  // max(8, 4 * ceil(log10(n + 1))) reaches all of n members. The floor is there because with less,
  // contradictions get lost in small swarms on bad networks.
  static int Retransmissions(size_t members);

 private:
  // Ordered as they are told: the least told first; of those told equally often the newest.
  struct Piece {
    int times;
    uint64_t added;
    PeerId about;
    bool operator<(const Piece& other) const;
  };
  std::set<Piece> pieces_;
  std::map<PeerId, std::set<Piece>::iterator> of_;
  uint64_t added_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_RUMOURS_H_
