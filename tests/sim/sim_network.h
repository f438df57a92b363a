// A seeded network between simulated peers: it loses, delays, reorders, duplicates and corrupts
// frames, splits into parts, and notices dead peers, all by one Random.
//
// Everything sent from an address to another is a passage: it is lost with probability `loss`, or
// takes delay_floor + an exponential time of mean delay_spread. Passages know nothing of one another,
// so reordering follows from delay. A frame, in addition, may be delivered twice, or with one bit
// of its payload flipped, or once more much later, to whoever listens at that address by then; unless corrupted it shares its payload with the sender's, byte for byte the
// same memory. A single direction can be made worse than the others (SetLink).
//
// A node's uplink and downlink can be narrow: a frame then occupies each of them, one frame at a
// time, for its size divided by the bandwidth, so frames queue. Calls travel beside them, on
// connections of their own, and are too small to count. Calls are two passages. Who sends to an address where nobody listens is told so after
// `unreachable_after`; who is cut off by a partition is told nothing.
//
// Single-threaded, like the world. Outlives its transports, their reply paths and the tasks of their
// executors.

#ifndef STARLING_TESTS_SIM_SIM_NETWORK_H_
#define STARLING_TESTS_SIM_SIM_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "peer/transport/transport.h"
#include "tests/sim/sim_executor.h"

namespace starling {

// Bytes a second that a node can send and receive.
struct SimBandwidth {
  double up = std::numeric_limits<double>::infinity();
  double down = std::numeric_limits<double>::infinity();
};

// One direction between two addresses, instead of what the options say.
struct SimLink {
  double loss = 0;
  absl::Duration delay_floor;
  absl::Duration delay_spread;
};

struct SimNetworkOptions {
  // Share of passages that never arrive, in [0, 1].
  double loss = 0;
  // Share of frames that arrive twice, the second time with a delay of its own, in [0, 1].
  double duplication = 0;
  // Share of frames with a payload that arrive with one bit of it flipped, in [0, 1].
  double corruption = 0;
  // Share of frames of which a copy is kept and delivered again after an exponential time of mean
  // replay_after, when their exchange, and perhaps their receiver, is long gone; in [0, 1].
  double replay = 0;
  absl::Duration replay_after = absl::Minutes(1);
  // Every passage takes at least delay_floor, on average delay_spread longer. Up: longer exchanges,
  // staler mixes; a spread above the time between two frames reorders them.
  absl::Duration delay_floor = absl::Microseconds(500);
  absl::Duration delay_spread = absl::Microseconds(500);
  // Of every node that SetBandwidth does not name.
  SimBandwidth bandwidth;
  // How soon a sender learns that nobody listens at an address.
  absl::Duration unreachable_after = absl::Milliseconds(2);
  // Frames, and bytes of their payloads, underway on one path (from one peer to an address); more
  // are refused with RESOURCE_EXHAUSTED. Duplicates are free.
  size_t path_frames = 4096;
  size_t path_bytes = size_t{64} << 20;

  // INVALID_ARGUMENT naming the field.
  absl::Status Validate() const;
  // Nothing is lost, duplicated, corrupted or replayed.
  bool clean() const {
    return loss == 0 && duplication == 0 && corruption == 0 && replay == 0;
  }
};

// What became of frames, apart from those cut off or refused.
struct SimNetworkCounters {
  uint64_t frames = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t corrupted = 0;
  uint64_t replayed = 0;   // much later
  uint64_t refused = 0;    // by InspectFrame
  uint64_t forgotten = 0;  // underway when their sender forgot the address
};

// What one process, or all of them, sent.
struct SimTraffic {
  uint64_t frames = 0;
  uint64_t payload_bytes = 0;  // of the frames
  uint64_t frame_bytes = 0;    // headers included
  uint64_t calls = 0;          // requests and answers
  uint64_t call_bytes = 0;

  uint64_t messages() const { return frames + calls; }
  uint64_t bytes() const { return frame_bytes + call_bytes; }
  SimTraffic& operator+=(const SimTraffic& more);
};

class SimPathCredit;
class SimTransport;

class SimNetwork {
 public:
  // Who signs a transport's own refusals.
  struct Identity {
    PeerId peer;
    Incarnation incarnation = 0;
    RunId run;
  };

  // `options` are valid.
  SimNetwork(SimWorld* world, const SimNetworkOptions& options, Random random);

  const SimNetworkOptions& options() const { return options_; }
  void SetOptions(const SimNetworkOptions& options) { options_ = options; }

  // A process that listens at `address`, until it is destroyed: that is how a peer goes down. At
  // most one at a time listens at an address.
  std::unique_ptr<SimTransport> TransportFor(const std::string& address, SimExecutor* control,
                                             const Identity& identity);

  // From now on nothing passes from any of `from` to any of `to` (addresses), until Heal.
  void Cut(const std::set<std::string>& from, const std::set<std::string>& to);
  // Both ways.
  void Partition(const std::set<std::string>& some, const std::set<std::string>& others);
  void Heal() { cuts_.clear(); }
  bool healed() const { return cuts_.empty(); }
  bool IsCut(const std::string& from, const std::string& to) const;

  // From now on the direction from `from` to `to` is like this, until ClearLinks. Like the options, it
  // is valid: see ValidateLink.
  void SetLink(const std::string& from, const std::string& to, const SimLink& link);
  void ClearLinks() { links_.clear(); }
  // What is sent there arrives.
  bool IsReliable(const std::string& from, const std::string& to) const;
  bool has_links() const { return !links_.empty(); }
  // Some line is narrow and has been used.
  bool has_lines() const { return !lines_.empty(); }
  // Nothing is lost for a link's sake.
  bool links_clean() const;
  // INVALID_ARGUMENT naming the field.
  static absl::Status ValidateLink(const SimLink& link);
  // Both above 0.
  void SetBandwidth(const std::string& address, const SimBandwidth& bandwidth);

  // The fate of something sent now: how long it takes, or nullopt if it will not arrive.
  absl::optional<absl::Duration> Passage(const std::string& from, const std::string& to);

  const SimNetworkCounters& counters() const { return counters_; }
  // At which anybody has ever listened.
  size_t addresses() const { return addresses_.size(); }
  // The fullest path so far.
  size_t peak_path_frames() const { return peak_path_frames_; }

 private:
  friend class SimTransport;

  // The two directions in which a node's frames queue.
  struct Line {
    absl::Time up_free = absl::InfinitePast();
    absl::Time down_free = absl::InfinitePast();
  };
  struct Delivery;

  absl::Duration Delay(absl::Duration floor, absl::Duration spread);
  const SimBandwidth& BandwidthOf(const std::string& address) const;
  // Queues `bytes` behind what occupies the line already; returns how long until they are through.
  absl::Duration Occupy(absl::Time& free, double bandwidth, size_t bytes);
  void KeepForReplay(const SimTransport& from, const std::string& address, Frame frame);
  SimExecutor* Wire();
  void Arrive(Delivery delivery);
  void Deliver(Delivery delivery);
  SimTransport* ListenerAt(const std::string& address) const;
  SimTransport* Find(uint64_t id) const;
  void Remove(SimTransport* transport);
  // Sends `frame` from a transport to the listener at `address`; `only` != 0: to that listener and
  // no successor of it. `credit` is held until the last copy has arrived or vanished. False if
  // nobody listens.
  bool Carry(const SimTransport& from, const std::string& address, uint64_t only, Frame frame,
             std::shared_ptr<const SimPathCredit> credit);

  SimWorld* const world_;
  SimNetworkOptions options_;
  Random random_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, SimTransport*> transports_;
  std::map<std::string, SimTransport*> listeners_;
  std::set<std::string> addresses_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::map<std::pair<std::string, std::string>, SimLink> links_;
  std::map<std::string, SimBandwidth> bandwidths_;
  std::map<std::string, Line> lines_;
  SimExecutor* wire_ = nullptr;  // for arrivals at narrow downlinks and replays; null until there is one
  SimNetworkCounters counters_;
  size_t peak_path_frames_ = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIM_NETWORK_H_
