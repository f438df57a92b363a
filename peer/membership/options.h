// How patient membership is.
//
// With n members, T = ping_interval, mu = suspicion_multiplier, a suspect that c others accuse too has
//
//   S_min = mu * max(1, log10 n) * T        S_max = suspicion_spread * S_min
//   K     = mu - 2, or 0 if fewer than that many others could confirm (n - 2 < K)
//   S(c)  = max(S_min, S_max - (S_max - S_min) * log(c + 1) / log(K + 1)),   S_min if K = 0
//
// to contradict before it is DEAD (Lifeguard: Dadgar, Phillips, Currey 2018).

#ifndef STARLING_PEER_MEMBERSHIP_OPTIONS_H_
#define STARLING_PEER_MEMBERSHIP_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace starling {

struct MembershipOptions {
  // What people call this set of values.
  absl::string_view preset = "lan";
  // T: each member looks for one other this often, so each is looked for about once in it. Down:
  // failures are seen sooner, at one call a member and interval. A failure is first suspected after
  // about 1.6 intervals, however large the swarm.
  absl::Duration ping_interval = absl::Seconds(1);
  // A member that has not answered for this long is looked for through helpers, for the rest of the
  // interval; at most 3/5 of it. In effect at least 4 times the 99th percentile of round trips. Up:
  // fewer calls to helpers on a slow network.
  absl::Duration ping_timeout = absl::Milliseconds(500);
  // k: how many others are asked. Up: fewer false suspicions.
  int helpers = 3;
  // mu. Up: longer pauses are forgiven; down: a dead member's place is freed sooner. 4: a pause of
  // 2 s costs nobody its membership, one of 15 s does.
  int suspicion_multiplier = 4;
  // What a suspicion that nobody confirms lasts, in S_min. Up: more patience if it is we who are slow.
  double suspicion_spread = 6;
  // Bad local health makes our patience with others up to (1 + this) times as long.
  int worst_health = 8;
  // News, and what each says of itself, goes to so many others this often. Down, up: news travels
  // faster, at fanout / interval calls a second.
  absl::Duration gossip_interval = absl::Milliseconds(200);
  int gossip_fanout = 3;
  // Whole tables are compared with somebody this often (more rarely in swarms above 32 members), so
  // that nothing missed stays missed.
  absl::Duration sync_interval = absl::Seconds(30);
  // The dead are called this often, so that the halves of a healed partition find each other; those
  // dead for long up to ten times more rarely.
  absl::Duration heal_interval = absl::Seconds(30);
  // Rows of the dead and departed: for how long, and how many (the oldest go first).
  absl::Duration departed_kept = absl::Hours(24);
  size_t max_departed = 256;
  // Everybody else, candidates included. Members beyond are ignored.
  size_t max_members = 1024;
  // Pieces of news in one ping or answer. Up: crowds of changes spread faster.
  size_t members_per_message = 64;

  static MembershipOptions Lan() { return {}; }
  // One host, demonstrations and tests.
  static MembershipOptions Fast();
  static MembershipOptions Wan();

  absl::Duration SuspicionMin(size_t members) const;
  absl::Duration SuspicionMax(size_t members) const;
  // K.
  int Confirmations(size_t members) const;

  // INVALID_ARGUMENT naming the field.
  absl::Status Validate() const;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_OPTIONS_H_
