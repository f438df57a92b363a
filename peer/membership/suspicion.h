// How long a suspect has to contradict: long while one alone accuses it, for then it may be the accuser
// that is slow, and shorter with each independent accuser (Lifeguard). The formula is in options.h.
//
// A value; pure.

#ifndef STARLING_PEER_MEMBERSHIP_SUSPICION_H_
#define STARLING_PEER_MEMBERSHIP_SUSPICION_H_

#include <cstddef>
#include <set>

#include "absl/time/time.h"
#include "peer/membership/options.h"
#include "peer/runtime/ids.h"

namespace starling {

class Suspicion {
 public:
  // `members`: how many there are, ourselves and the suspect included.
  Suspicion(const MembershipOptions& options, size_t members, absl::Time now);

  // True if `accuser` is new and its word still shortens anything: worth telling others.
  bool Accuse(PeerId accuser);
  // At most K + 1.
  const std::set<PeerId>& accusers() const { return accusers_; }

  absl::Time deadline() const;
  // Time in which we ourselves stood still does not count.
  void Shift(absl::Duration gap) { began_ += gap; }

 private:
  absl::Time began_;
  absl::Duration min_;
  absl::Duration max_;
  int confirmations_;  // K
  std::set<PeerId> accusers_;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_SUSPICION_H_
