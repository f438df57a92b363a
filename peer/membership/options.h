// How patient membership is.

#ifndef STARLING_PEER_MEMBERSHIP_OPTIONS_H_
#define STARLING_PEER_MEMBERSHIP_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace starling {

struct MembershipOptions {
  // Every member is called this often. Down: failures are seen sooner, at members / interval calls
  // a second from each peer.
  absl::Duration ping_interval = absl::Seconds(1);
  // A call unanswered for this long makes its member SUSPECT. About 1.5 intervals; must exceed the
  // worst round trip. Up: fewer exchanges given up for a hiccup.
  absl::Duration suspect_after = absl::Milliseconds(1500);
  // Silence that makes a member DEAD. Up: longer pauses are forgiven; down: its place is freed
  // sooner. At least suspect_after + ping_interval, so that a second call gets its chance.
  absl::Duration dead_after = absl::Seconds(5);
  // The dead are called this often, so that the halves of a healed partition find each other.
  absl::Duration heal_interval = absl::Seconds(30);
  // Rows of the dead and departed: for how long, and how many (the oldest go first).
  absl::Duration departed_kept = absl::Hours(24);
  size_t max_departed = 256;
  // Everybody else, candidates included. Members beyond are ignored.
  size_t max_members = 1024;
  // Rows in one ping. A larger view is sent in turns.
  size_t members_per_message = 64;

  static MembershipOptions Lan() { return {}; }
  // One host, demonstrations and tests.
  static MembershipOptions Fast();
  static MembershipOptions Wan();

  // INVALID_ARGUMENT naming the field.
  absl::Status Validate() const;
};

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_OPTIONS_H_
