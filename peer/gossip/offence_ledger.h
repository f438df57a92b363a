// Who sent bad data, how often, and who is not listened to because of it.
//
//   offence: a contribution that is not finite or out of scale, though its checksum is right, so that it was
//            the sender that wrote it so. A wrong checksum is nobody's offence: any machine on the way
//            may have flipped the bit.
//   deed:    one exchange or round. However many shards and repetitions it has, it is one offence.
//
//   `offences` of them within `window`  ─▶  quarantined for `first`, then twice as long each time, at most
//   `most`  ─▶  forgiven: its offences are forgotten, the length of its last quarantine only after it has
//   behaved for `most`
//
// A peer that comes back as a new incarnation is free at once, but the next quarantine is as long as it would
// have been. Incarnations that lie behind count for nothing: they are echoes.
//
// Pure; iterated in the order of ids. Not thread-safe. Memory: `members` records of a few dozen bytes; beyond
// that the one whose last offence is longest ago is forgotten.

#ifndef STARLING_PEER_GOSSIP_OFFENCE_LEDGER_H_
#define STARLING_PEER_GOSSIP_OFFENCE_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/runtime/ids.h"

namespace starling {

struct OffenceOptions {
  // Up: more bad contributions are refused one by one before their sender is avoided; down: a single accident
  // may cost it a quarantine.
  uint32_t offences = 3;
  // Up: rare offences add up; down: only a burst counts.
  absl::Duration window = absl::Minutes(10);
  // Up: less is wasted on who does not mend; down: who has mended is back sooner.
  absl::Duration first = absl::Minutes(2);
  absl::Duration most = absl::Hours(2);
  // Records kept. More than the swarm ever has members.
  size_t members = 1024;

  // INVALID_ARGUMENT, naming the field.
  absl::Status Validate() const;
};

struct Quarantine {
  absl::Duration length;
  // "3 bad contributions within 12 s, the last: largest number 3e+06 is out of scale: ..."
  std::string reason;
};

class OffenceLedger {
 public:
  // `options` are valid.
  explicit OffenceLedger(OffenceOptions options) : options_(options) {}

  // Returns the quarantine that begins with this offence, if one does. While one lasts nothing counts.
  absl::optional<Quarantine> Note(absl::Time now, PeerId peer, Incarnation incarnation, uint64_t deed,
                                  const std::string& what);

  // Nothing is taken from that incarnation of the peer now.
  bool IsQuarantined(absl::Time now, PeerId peer, Incarnation incarnation) const;
  // Offences within the window that are not forgiven.
  uint32_t OffencesOf(absl::Time now, PeerId peer) const;

  // Since the start.
  uint64_t offences() const { return offences_; }
  uint64_t quarantines() const { return quarantines_; }
  size_t records() const { return records_.size(); }

 private:
  struct Record {
    Incarnation incarnation = 0;
    struct Offence {
      absl::Time at;
      uint64_t deed;
    };
    std::deque<Offence> recent;  // fewer than `offences`
    absl::Time last = absl::InfinitePast();
    absl::Time until = absl::InfinitePast();
    absl::Duration length;  // of the last quarantine
  };

  Record& RecordOf(PeerId peer);

  const OffenceOptions options_;
  std::map<PeerId, Record> records_;
  uint64_t offences_ = 0;
  uint64_t quarantines_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_OFFENCE_LEDGER_H_
