// Places in the protocol at which a daemon can be told to die or to stand still, so that tests meet every step of
// an exchange, a round, a transfer or a save, and not only those that kills at random moments happen to hit.
//
// A point is one line, `Failpoint("exchange.reply_sent");`, at the step that kFailpoints describes; it costs a
// relaxed load while nothing is armed. When an armed one is reached the process writes
// "failpoint NAME: kill" (or stop) to its standard error and raises SIGKILL or SIGSTOP, once.
//
// What is armed is the one deliberate state of the whole process: set once, before there are threads, by the
// hidden flag --failpoint of peerd and coordinatord. In the simulator and in tests of actors nothing is armed, so
// points are inert there.

#ifndef STARLING_PEER_RUNTIME_FAILPOINT_H_
#define STARLING_PEER_RUNTIME_FAILPOINT_H_

#include <atomic>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace starling {

struct FailpointRow {
  const char* name;  // ROOM.STEP; the room says in which kind of swarm it is reached
  const char* what;
};

// All there are. Shards: of a request of several, each counts.
inline constexpr FailpointRow kFailpoints[] = {
    // The initiator of an exchange, in the order of its life.
    {"exchange.partner_chosen", "the trainer owes the snapshot"},
    {"exchange.snapshot_taken", "nothing is sent yet"},
    {"exchange.request_sent", "a shard, the first of several"},
    {"exchange.all_requests_sent", "no reply yet"},
    {"exchange.reply_received", "not applied yet"},
    {"exchange.reply_applied", "the responder does not know yet"},
    {"exchange.settle_sent", "of a shard that was committed or given up"},
    {"exchange.refusal_received", "somebody does not want it now"},
    // The responder.
    {"exchange.request_received", "the trainer has not seen it yet"},
    {"exchange.reply_computed", "applied here, not sent yet"},
    {"exchange.reply_sent", "the initiator has not applied it yet"},
    {"exchange.settle_received", "of a shard that was committed or given up"},
    {"exchange.refusal_sent", "as CROSSED, mostly"},
    // Rounds of the algorithm in which everybody reduces a part.
    {"round.begun", "nothing is sent yet"},
    {"round.contribution_sent", "of a shard, to its owner"},
    {"round.contribution_received", "by the owner of a shard"},
    {"round.mean_sent", "by the owner, to one of those who contributed"},
    {"round.mean_received", "from the owner"},
    {"round.ended", "the trainer has not applied it yet"},
    // Rounds among neighbours.
    {"neighbours.values_sent", "to one of them"},
    {"neighbours.values_received", "from one of them"},
    // Averages that the coordinator plans.
    {"averaging.planned", "the plan has come, the trainer owes a snapshot"},
    {"averaging.snapshot_taken", "nothing is sent yet"},
    {"averaging.contribution_sent", "of a shard, to its owner"},
    {"averaging.contribution_received", "by the owner of a shard"},
    {"averaging.average_sent", "by the owner, to one of those who contributed"},
    {"averaging.average_received", "from the owner"},
    {"averaging.displaced", "the trainer has been given the displacement"},
    // A newcomer.
    {"joining.manifest_asked", "of a donor"},
    {"joining.manifest_received", "no shard asked for yet"},
    {"joining.shard_asked", "the first of several"},
    {"joining.shard_received", "the first of several"},
    {"joining.copy_complete", "not given to the trainer yet"},
    // Its donor.
    {"donor.state_offered", "the manifest is sent"},
    {"donor.shard_asked", "not copied yet"},
    {"donor.shard_sent", "the first of several"},
    // Files; of a state directory the third one written is of a checkpoint or of known peers.
    {"file.written", "under its temporary name"},
    {"file.renamed", "its directory is not synced yet"},
    {"checkpoint.begun", "the manifest that was there is gone"},
    {"checkpoint.parameters_written", "without a manifest"},
    {"checkpoint.manifest_written", "older ones are still there"},
    {"checkpoint.old_manifest_removed", "its parameters are still there"},
    // A peer and its coordinator.
    {"registration.join_sent", "not answered yet"},
    {"registration.joined", "nothing else done"},
    {"registration.heartbeat_sent", "not answered yet"},
    // Membership among peers.
    {"membership.ping_sent", "not answered yet"},
    {"membership.ping_received", "not answered yet"},
    {"membership.ping_answered", "by this peer"},
    {"membership.pong_received", "not taken in yet"},
    {"relay.asked", "to ping somebody who does not answer others; nothing done"},
    // Who was told to leave.
    {"leaving.begun", "an exchange may be under way"},
    {"leaving.drained", "nobody was told"},
    {"leaving.goodbye_sent", "to one of the others"},
    // coordinatord.
    {"coordinator.join_received", "not counted yet"},
    {"coordinator.joined", "counted, not answered"},
    {"coordinator.heartbeat_received", "the lease is not longer yet"},
    {"coordinator.event_sent", "a view or a plan, to one of those who watch"},
};

inline constexpr int kFailpointCount = sizeof(kFailpoints) / sizeof(kFailpoints[0]);

// A row of the table, found when it is compiled: a name that is not there is a compiler's error.
class FailpointName {
 public:
  consteval FailpointName(const char* name) : index_(0) {  // NOLINT(google-explicit-constructor)
    while (absl::string_view(kFailpoints[index_].name) != absl::string_view(name)) ++index_;
  }
  int index() const { return index_; }

 private:
  int index_;
};

// The row that is armed, or -1.
extern std::atomic<int> armed_failpoint;

// Raises the signal, unless hits have to pass first.
void ReachFailpoint(int index);

inline void Failpoint(FailpointName point) {
  if (armed_failpoint.load(std::memory_order_relaxed) == point.index()) {
    ReachFailpoint(point.index());
  }
}

// "NAME=kill", "NAME=stop", or with ":after=N" to let N hits pass; "" arms nothing. Before there are threads.
// INVALID_ARGUMENT: no such name (it lists them all), action or number.
absl::Status ArmFailpoint(absl::string_view spec);

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_FAILPOINT_H_
