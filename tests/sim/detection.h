// How soon membership notices what happens to one of n members, and how often it is wrong: swarms of
// shipped MembershipActors on the simulated network, with nothing else running.
//
// A crash here is a machine that vanishes: its calls and answers stop, and nobody is told. A kill is a
// process that ends: its host refuses calls.

#ifndef STARLING_TESTS_SIM_DETECTION_H_
#define STARLING_TESTS_SIM_DETECTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "peer/membership/membership_actor.h"
#include "peer/membership/options.h"
#include "peer/runtime/random.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_transport.h"

namespace starling {

struct DetectionOptions {
  MembershipOptions membership = MembershipOptions::Lan();
  int members = 16;
  // Of calls and of answers alike, as of datagrams; a call is two of them.
  double loss = 0;
  uint64_t seed = 1;
};

class DetectionSwarm {
 public:
  // Everybody knows everybody, and a random time has passed since.
  explicit DetectionSwarm(const DetectionOptions& options);
  ~DetectionSwarm();

  // From now on, as the header says. Seen() is about this member and this moment.
  void Crash(int member);
  void Kill(int member);
  void Pause(int member);
  void Resume(int member);

  void RunFor(absl::Duration duration);
  // False if it did not hold within `limit`.
  bool RunUntil(absl::FunctionRef<bool()> condition, absl::Duration limit);

  // After the crash, kill or pause; infinite while it has not happened.
  struct Times {
    absl::Duration first_suspect = absl::InfiniteDuration();
    absl::Duration all_suspect = absl::InfiniteDuration();  // SUSPECT or DEAD for everybody else
    absl::Duration first_dead = absl::InfiniteDuration();
    absl::Duration all_dead = absl::InfiniteDuration();
  };
  Times Seen() const;

  // Of members that lived, each counted once however many believed it.
  size_t false_suspicions() const { return false_suspicions_.size(); }
  size_t false_deaths() const { return false_deaths_.size(); }
  // Everybody that is not crashed or killed is shown as reachable to everybody else like that.
  bool AllWell() const;

 private:
  struct Node;
  class Router;

  void OnView(int observer, const MembershipView& view);
  void HappensTo(int member);

  const DetectionOptions options_;
  Random random_;
  SimWorld world_;
  SimNetwork network_;
  std::vector<std::unique_ptr<Node>> nodes_;
  int victim_ = -1;
  absl::Time happened_;
  // Since when the victim has been so, by observer.
  std::map<int, absl::Time> suspected_;
  std::map<int, absl::Time> dead_;
  // By member, and how often it had contradicted before.
  std::set<std::pair<PeerId, uint64_t>> false_suspicions_;
  std::set<std::pair<PeerId, uint64_t>> false_deaths_;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_DETECTION_H_
