// What the exchanges with one partner, or rounds of one kind, have taken, and how long the next one may take by
// that (exchange_deadline.h). Smoothed: the newest counts for a fifth.
//
// The duration covers the wait for the other's step boundary as well as the transfer, so slow links
// and slow trainers both stretch it. Pure.

#ifndef STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_
#define STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "peer/gossip/exchange_deadline.h"
#include "peer/runtime/check.h"

namespace starling {

class ExchangeTiming {
 public:
  // 0 < floor <= ceiling.
  explicit ExchangeTiming(ExchangeTimingOptions options) : options_(options) {
    STARLING_CHECK(absl::ZeroDuration() < options.floor && options.floor <= options.ceiling);
  }

  // One was done to the end, and moved so many bytes in both directions.
  void OnCommitted(absl::Duration took, uint64_t bytes = 0) {
    past_.smoothed = past_.any ? past_.smoothed * 0.8 + took * 0.2 : took;
    past_.any = true;
    past_.given_up = 0;
    OnPart(took, bytes);
  }
  // Of one that was given up, so many bytes were moved before the last that came: what the line can do, at least.
  void OnPart(absl::Duration took, uint64_t bytes) {
    if (bytes == 0) return;
    const double rate = static_cast<double>(bytes) /
                        absl::ToDoubleSeconds(std::max(took, absl::Microseconds(1)));
    past_.bytes_per_second =
        past_.bytes_per_second > 0 ? past_.bytes_per_second * 0.8 + rate * 0.2 : rate;
  }
  // One was not answered in time: the next gets more.
  void OnGivenUp() { past_.given_up = std::min(past_.given_up + 1, 1000); }

  ExchangeDeadline deadline(const ExchangeTerms& terms) const {
    return DeadlineOf(terms, past_, options_);
  }
  const PastExchanges& past() const { return past_; }
  // 0 before the first measurement.
  absl::Duration smoothed() const { return past_.smoothed; }

 private:
  const ExchangeTimingOptions options_;
  PastExchanges past_;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_EXCHANGE_TIMING_H_
