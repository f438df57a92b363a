// How far we can trust our own haste (Lifeguard's local health multiplier): 0 is good health; up to `worst`
// the more often we were late ourselves, and all patience with others is (1 + score) times as long.
//
//   -1  a member that we looked for answered
//   +1  a helper did not even report failure; a probe failed and nobody could be asked
//   +1  somebody thought that we are dead
//
// A value; pure.

#ifndef STARLING_PEER_MEMBERSHIP_LOCAL_HEALTH_H_
#define STARLING_PEER_MEMBERSHIP_LOCAL_HEALTH_H_

#include <algorithm>

#include "absl/time/time.h"

namespace starling {

class LocalHealth {
 public:
  explicit LocalHealth(int worst) : worst_(worst) {}

  void Better() { score_ = std::max(0, score_ - 1); }
  void Worse(int by = 1) { score_ = std::min(worst_, score_ + by); }

  int score() const { return score_; }
  absl::Duration Scale(absl::Duration patience) const { return patience * (1 + score_); }

 private:
  const int worst_;
  int score_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_LOCAL_HEALTH_H_
