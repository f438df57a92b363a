// How long an exchange may take: derived from how long exchanges took, so that nobody has to guess.
//
//   deadline = clamp(8 x smoothed duration, floor, ceiling), ceiling before the first measurement;
//              doubled, up to the ceiling, by each exchange given up since the last that committed
//   resend   = deadline / 4
//
// The duration covers the wait for the other's step boundary as well as the transfer, so slow links
// and slow trainers both stretch it. Pure; owned by GossipActor.

#ifndef STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_
#define STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "peer/runtime/check.h"
#include "peer/runtime/effective_value.h"

namespace starling {

struct ExchangeTimingOptions {
  // Up: slow peers get more patience; down: a stalled one is given up sooner.
  absl::Duration floor = absl::Seconds(2);
  absl::Duration ceiling = absl::Seconds(20);
};

class ExchangeTiming {
 public:
  // 0 < floor <= ceiling.
  explicit ExchangeTiming(ExchangeTimingOptions options) : options_(options) {
    STARLING_CHECK(absl::ZeroDuration() < options.floor && options.floor <= options.ceiling);
  }

  // A whole exchange was committed.
  void OnCommitted(absl::Duration took) {
    smoothed_ = measured_ ? smoothed_ * 0.8 + took * 0.2 : took;
    measured_ = true;
    patience_ = 1;
  }
  // One was not answered in time: the next gets twice the patience.
  void OnGivenUp() { patience_ = std::min(patience_ * 2, kMostPatience); }

  absl::Duration deadline() const {
    if (!measured_) return options_.ceiling;
    return std::min(std::clamp(8 * smoothed_, options_.floor, options_.ceiling) * patience_,
                    options_.ceiling);
  }
  // Where the deadline comes from, for people.
  std::string source() const {
    if (!measured_) return "nothing measured yet: the longest";
    const std::string measured =
        absl::StrCat("8 x the smoothed duration of ", ShortText(smoothed_), ", within ",
                     ShortText(options_.floor), " and ", ShortText(options_.ceiling));
    return patience_ == 1 ? measured : absl::StrCat(measured, ", longer after some in vain");
  }
  absl::Duration resend() const { return deadline() / 4; }
  // 0 before the first measurement.
  absl::Duration smoothed() const { return smoothed_; }

 private:
  static constexpr int kMostPatience = 1024;

  const ExchangeTimingOptions options_;
  absl::Duration smoothed_;
  int patience_ = 1;
  bool measured_ = false;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_
