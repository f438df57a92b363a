// What a swarm went through, as the poller wrote it down, and the figures of the scoreboard that
// follow from it. Pure: times are seconds on any one clock, peers are numbered from 0.
//
// Every figure is an upper bound by about the distance between two samples, because a thing counts
// as happened only when a sample shows it.

#ifndef STARLING_PEER_CLI_CHAOS_TIMELINE_H_
#define STARLING_PEER_CLI_CHAOS_TIMELINE_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "proto/peer.pb.h"

namespace starling {

// One peer at one time.
struct ChaosPeerSample {
  bool answered = false;  // else nothing below is known
  bool training = false;
  bool coordinator_connected = false;
  uint64_t step = 0;
  // Exchanges that it started and that were committed.
  uint64_t commits = 0;
  double consensus_distance = 0;
  // In which state it sees each peer; UNSPECIFIED: it does not know it.
  std::vector<v1::PeerState> view;
};

struct ChaosSample {
  double at = 0;  // rises from one sample to the next
  // Peers that are started later are missing at the end, or have not answered.
  std::vector<ChaosPeerSample> peers;
};

// What was done, and what must be expected of whom.
struct ChaosScene {
  double baseline_at = 0;  // from here to event_at the swarm was undisturbed
  double event_at = 0;
  double ended_at = 0;  // the fault was over; event_at if it is one that does not end
  int peers = 0;        // started in all
  // Whose progress and opinions count: those that the fault does not hit itself.
  std::vector<int> others;
  // (observer, peer) that lose sight of each other: the observer ought to notice.
  std::vector<std::pair<int, int>> cut;
  // Gone for good.
  std::vector<int> gone;
  // Started by the event, if any.
  std::optional<int> newcomer;
  // One view includes a lease from the coordinator for everybody.
  bool coordinator_counts = false;
};

// Times in seconds; nothing: it did not happen while anybody looked.
struct ChaosFigures {
  // From the event until each of the others has had another exchange of its own committed.
  std::optional<double> next_exchange;
  // From the event until every observer of `cut` has seen its peer as SUSPECT or DEAD; as DEAD.
  std::optional<double> suspected;
  std::optional<double> dead;
  // From the end of the fault until everybody left sees everybody left ALIVE and nobody else, and
  // nobody says otherwise any more. Silence says nothing.
  std::optional<double> one_view;
  // From the end of the fault until the mean consensus distance is back below the highest of the
  // baseline and a quarter more, and that stays so.
  std::optional<double> one_model;
  // From the event until the newcomer has made a step.
  std::optional<double> newcomer_steps;
  // Longest time for which the step counter of one of the others stood still after the event, and
  // before it.
  double longest_pause = 0;
  double longest_pause_before = 0;
  // Normal time of a step, from the baseline.
  double step_time = 0;
  // Steps that fit into the longest pause beyond the one that was due anyway.
  double steps_lost = 0;
  // (observer, peer) among the others' opinions that were wrong at some time after the event.
  int wrongly_suspected = 0;
  int wrongly_dead = 0;
};

// Never fails: what the samples do not show is left out.
ChaosFigures MeasureChaos(const ChaosScene& scene, const std::vector<ChaosSample>& samples);

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHAOS_TIMELINE_H_
