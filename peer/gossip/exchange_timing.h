// How long an exchange may take: derived from how long exchanges took, so that nobody has to guess.
//
//   deadline = clamp(8 x smoothed duration, floor, ceiling), ceiling before the first measurement
//   resend   = deadline / 4
//
// The duration covers the wait for the other's step boundary as well as the transfer, so slow links
// and slow trainers both stretch it. Pure; owned by GossipActor.

#ifndef STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_
#define STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_

#include <algorithm>

#include "absl/time/time.h"

namespace starling {

struct ExchangeTimingOptions {
  // Up: slow peers get more patience; down: a stalled one is given up sooner.
  absl::Duration floor = absl::Seconds(2);
  absl::Duration ceiling = absl::Seconds(20);
};

class ExchangeTiming {
 public:
  explicit ExchangeTiming(ExchangeTimingOptions options) : options_(options) {}

  // A whole exchange was committed.
  void OnCommitted(absl::Duration took) {
    smoothed_ = measured_ ? smoothed_ * 0.8 + took * 0.2 : took;
    measured_ = true;
  }
  // One was given up: the next gets twice the patience, up to the ceiling.
  void OnGivenUp() {
    if (measured_) smoothed_ = std::min(smoothed_ * 2, options_.ceiling / 8);
  }

  absl::Duration deadline() const {
    if (!measured_) return options_.ceiling;
    return std::clamp(8 * smoothed_, options_.floor, options_.ceiling);
  }
  absl::Duration resend() const { return deadline() / 4; }
  // 0 before the first measurement.
  absl::Duration smoothed() const { return smoothed_; }

 private:
  const ExchangeTimingOptions options_;
  absl::Duration smoothed_;
  bool measured_ = false;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_
