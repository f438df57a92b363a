// What a peer may still send and receive: the limits of v1.LinkLimits as token buckets, and the book of what
// was moved.
//
// Each direction has a bucket for all of its bytes, one for each other peer, and for a limit by the day a
// window of 24 hours with a bucket beside it, which lets an eighth of the day's bytes go at once and the
// rest evenly: a day's bytes that were gone by noon would leave the peer without exchanges until night.
// A bucket holds the bytes of one second, or of the largest payload of a whole exchange if that is more,
// so that an exchange can be saved up for however low the rate.
//
// Asking (WaitFor) and charging are two things: exchanges ask before they begin, everything is charged when
// it is moved, and what nobody asked for makes what asks wait longer. So exchanges move, over any time t, at
// most rate x t + one bucket + what was begun on the last of it.
//
// Pure: time comes with every call. Buckets of at most kMostPeers peers are kept; those that are full are
// forgotten first, which is no loss.

#ifndef STARLING_PEER_TRANSPORT_LINK_BUDGET_H_
#define STARLING_PEER_TRANSPORT_LINK_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "peer/runtime/ids.h"
#include "peer/transport/day_window.h"
#include "peer/transport/token_bucket.h"
#include "proto/status.pb.h"

namespace starling {

enum class Direction { kSend, kReceive };

// All limits that there are, by the names of their fields and flags.
struct LimitField {
  const char* name;
  const char* per;  // "s" or "day"
  uint64_t (v1::LinkLimits::*get)() const;
  void (v1::LinkLimits::*set)(uint64_t);
};
inline constexpr LimitField kLimitFields[] = {
    {"send", "s", &v1::LinkLimits::send, &v1::LinkLimits::set_send},
    {"receive", "s", &v1::LinkLimits::receive, &v1::LinkLimits::set_receive},
    {"send_per_peer", "s", &v1::LinkLimits::send_per_peer, &v1::LinkLimits::set_send_per_peer},
    {"receive_per_peer", "s", &v1::LinkLimits::receive_per_peer,
     &v1::LinkLimits::set_receive_per_peer},
    {"send_per_day", "day", &v1::LinkLimits::send_per_day, &v1::LinkLimits::set_send_per_day},
    {"receive_per_day", "day", &v1::LinkLimits::receive_per_day,
     &v1::LinkLimits::set_receive_per_day},
};

// INVALID_ARGUMENT names the limit: each is 0 or from 1 kB to 1 PB.
absl::Status ValidateLimits(const v1::LinkLimits& limits);

// Anything is limited.
bool HasLimit(const v1::LinkLimits& limits);

class LinkBudget {
 public:
  static constexpr size_t kMostPeers = 1024;

  // Payload bytes of one whole exchange in each direction, at most.
  struct Whole {
    uint64_t sent = 0;
    uint64_t received = 0;
  };
  explicit LinkBudget(Whole whole) : send_{.whole = whole.sent}, receive_{.whole = whole.received} {}

  // Those that are not set stay. What was moved so far stays charged.
  void SetLimits(absl::Time now, const v1::LinkLimits& limits);
  // All are set.
  const v1::LinkLimits& limits() const { return limits_; }
  // Something is limited.
  bool limited() const { return send_.limited() || receive_.limited(); }

  // An empty peer: somebody, not known whom.
  void Charge(absl::Time now, Direction direction, PeerId peer, uint64_t bytes);

  enum class Limit { kNone, kTotal, kPerPeer, kPerDay };
  struct Wait {
    absl::Duration time = absl::ZeroDuration();
    Limit limit = Limit::kNone;  // that takes longest
  };
  // Until so many bytes may be moved beside those that are promised to others, and not charged yet. What is
  // larger than a bucket may go when that is full. Nothing may always be moved.
  Wait WaitFor(absl::Time now, Direction direction, PeerId peer, uint64_t bytes,
               uint64_t promised = 0) const;
  // Until no bucket would be in debt if `forgiven` bytes of what was charged had not been.
  Wait WaitForCredit(absl::Time now, Direction direction, PeerId peer, uint64_t forgiven) const;

  uint64_t LastDay(absl::Time now, Direction direction) const {
    return lane(direction).day_spent.Spent(now);
  }
  // "500 kB/s sent in all"; empty for kNone.
  std::string Describe(Direction direction, Limit limit) const;
  // "500 kB/s sent in all, 2.0 GB received a day"; "none".
  std::string DescribeAll() const;
  size_t peers() const { return send_.peers.size() + receive_.peers.size(); }

 private:
  struct Lane {
    uint64_t whole = 0;
    uint64_t rate = 0;
    uint64_t peer_rate = 0;
    uint64_t day = 0;
    TokenBucket total = {};
    std::map<PeerId, TokenBucket> peers = {};
    TokenBucket day_pace = {};
    DayWindow day_spent = {};

    bool limited() const { return rate > 0 || peer_rate > 0 || day > 0; }
    double Capacity(uint64_t a_second) const;
    void Set(absl::Time now, uint64_t new_rate, uint64_t new_peer_rate, uint64_t new_day);
    TokenBucket& BucketOf(absl::Time now, PeerId peer);
    Wait BucketsWait(absl::Time now, PeerId peer, double bytes, double promised) const;
  };
  const Lane& lane(Direction direction) const {
    return direction == Direction::kSend ? send_ : receive_;
  }

  v1::LinkLimits limits_;
  Lane send_;
  Lane receive_;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_LINK_BUDGET_H_
