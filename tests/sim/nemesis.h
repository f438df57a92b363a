// Every fault that the simulator knows, at random, each with an end: what chaos.h does in seconds, for
// lives of hours.
//
//   crash        dies; starts again later, knowing all it knew, only its incarnation, or not even its id
//   amnesia      dies; starts again at once with an incarnation from a backup, and must notice
//   clone        a second process with the same id and a higher incarnation: the first must notice
//   leave, join  in good order
//   pause        SIGSTOP: for a moment, for about as long as a suspicion lasts, or for minutes
//   leap         a monotonic clock jumps forward by up to minutes
//   partition    each of partitions.h; the coordinator is on one side
//   links        some directions become slow and lossy
//   network      all of it: loss, duplicates, corruption, and frames that come again minutes later
//   coordinator  dies and starts again with or without its state, sleeps, or is there twice
//
// Of partitions, links and networks there is one at a time, otherwise faults overlap as they come.

#ifndef STARLING_TESTS_SIM_NEMESIS_H_
#define STARLING_TESTS_SIM_NEMESIS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "peer/runtime/random.h"
#include "tests/sim/simulation.h"

namespace starling {

struct NemesisOptions {
  // From one fault to the next, on average.
  absl::Duration interval = absl::Seconds(20);
  // How long one lasts, on average; standstills and absences have their own.
  absl::Duration length = absl::Seconds(60);
  // Peers alive and awake at any time, and alive, at most.
  size_t awake_at_least = 2;
  size_t living_at_most = 8;
};

class Nemesis {
 public:
  // `simulation` outlives it.
  Nemesis(Simulation& simulation, const NemesisOptions& options, Random random);

  // Lets so much time pass, with faults; what begins in it ends in it.
  void RunFor(absl::Duration duration);

  // How often each fault has happened.
  const std::map<std::string, uint64_t>& done() const { return done_; }

 private:
  using NodeTest = absl::FunctionRef<bool(int number, const Simulation::Node& node)>;

  void DoSomething();
  void Crash();
  void Amnesia();
  void Clone();
  void Leave();
  void Join();
  void Pause();
  void Leap();
  void Partition();
  void WorsenLinks();
  void WorsenNetwork();
  void TroubleCoordinator();

  // What ends a fault, once.
  void After(absl::Duration pause, std::function<void()> end);
  void EndDue();
  void Count(const std::string& fault) { ++done_[fault]; }
  double Between(double low, double high) { return low + (high - low) * random_.Uniform(); }
  absl::Duration Length(absl::Duration mean);
  std::vector<int> NodesThat(NodeTest test) const;
  // -1: nobody may be taken out of action.
  int OneAwake();
  // Of a process that was killed: this one, if nobody has started another since.
  void StartAgain(int node, Simulation::Memory memory);

  Simulation& simulation_;
  const NemesisOptions options_;
  Random random_;
  std::multimap<absl::Time, std::function<void()>> ends_;
  bool parted_ = false;
  bool links_worse_ = false;
  bool network_worse_ = false;
  bool coordinator_troubled_ = false;
  std::map<std::string, uint64_t> done_;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_NEMESIS_H_
