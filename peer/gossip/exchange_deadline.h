// How long an exchange with one partner, or a round, may take, so that nobody has to guess. A pure function of
// what is known.
//
//   least    = bytes / bandwidth + round trip + own step + the other's step
//   slack    = 8 x smoothed duration of those before, within floor and ceiling; the ceiling before the first;
//              doubled, up to the ceiling, by each one given up since the last that was done
//   deadline = slack + 2 x least
//
// `least` is what no luck can save: all bytes pass the line, and each side answers at the end of a step. It is
// taken twice, for lines are shared. So a model of 256 MiB behind 20 Mbit/s, which takes 107 s each way, gets
// minutes, and one of 100 kB is not waited for any longer than by experience.
//
// Bandwidth is bytes over duration of what was done before: waiting is included, so it is told too low rather than too
// high. Before the first one it is taken for 10 Mbit/s, and for half of that with each one given up, but never for
// less than 1 Mbit/s: lines that are slower count as that.
//
// A deadline that is too long costs little: who falls silent is SUSPECT after a second or two, which ends an
// exchange at once, and its place in a round.

#ifndef STARLING_PEER_GOSSIP_EXCHANGE_DEADLINE_H_
#define STARLING_PEER_GOSSIP_EXCHANGE_DEADLINE_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace starling {

// Bytes a second of the slowest line that is waited for.
inline constexpr double kSlowestLine = 1e6 / 8;

struct ExchangeTimingOptions {
  // Of the slack. Up: slow peers get more patience; down: a stalled one is given up sooner.
  absl::Duration floor = absl::Seconds(2);
  absl::Duration ceiling = absl::Seconds(20);
};

// Of the one that is to begin. What is not known is 0.
struct ExchangeTerms {
  uint64_t bytes = 0;  // in both directions
  absl::Duration round_trip = absl::ZeroDuration();
  absl::Duration own_step = absl::ZeroDuration();
  absl::Duration other_step = absl::ZeroDuration();
};

// What those before have taught.
struct PastExchanges {
  bool any = false;              // one was done
  absl::Duration smoothed;       // how long one takes
  double bytes_per_second = 0;   // smoothed; 0: none moved anything
  int given_up = 0;              // since the last that was done
};

struct ExchangeDeadline {
  absl::Duration after;  // slack + 2 x least
  absl::Duration slack;
  absl::Duration least;
  absl::Duration transfer;  // of `least`: bytes / bandwidth
  double bytes_per_second = 0;

  // What could not have been answered yet is not sent again.
  absl::Duration resend_after() const { return std::max(after / 4, least); }

  // In one line, for people: all of the above.
  std::string Source(const ExchangeTerms& terms, const PastExchanges& past,
                     const ExchangeTimingOptions& options) const;
};

// 0 < floor <= ceiling.
ExchangeDeadline DeadlineOf(const ExchangeTerms& terms, const PastExchanges& past,
                            const ExchangeTimingOptions& options);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_EXCHANGE_DEADLINE_H_
