// Exchanges neither create nor destroy anything: what one peer loses, another gains, once.
//
// The checker sees each half of each exchange through the trainers' MixObserver and knows a delta by
// the memory it lies in, which the simulated network shares but never reuses while somebody may
// still refer to it. So it can tell, at any moment,
//
//   underway    deltas that a responder applied and nobody has applied yet: still travelling, or
//               orphans for good;
//
// and complains
//   * always: when a delta is applied that no responder made, or that was applied before;
//   * with gradients and global averaging off, unless the rule of exchange declares that it does not
//     conserve the sum: when the sum of all parameters, those that left or died with their last ones,
//     plus the deltas underway, differs from what it was at the start by more than 1e-5 of the sum of
//     absolute values. (An averaging round moves the sum while it lasts and restores it if all of it
//     arrives; so with averaging the drift is measured but not complained of.)
//   * at ExpectOrphansCounted: when a responder has counted less than it truly lost.

#ifndef STARLING_TESTS_SIM_CONSERVATION_CHECKER_H_
#define STARLING_TESTS_SIM_CONSERVATION_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "peer/codec/coded_bytes.h"
#include "peer/runtime/shared_bytes.h"
#include "peer/training/training_actor.h"
#include "proto/run.pb.h"
#include "tests/sim/checker.h"

namespace starling {

class SimPeer;

class ConservationChecker final : public Checker {
 public:
  // `parameters`: how many the model has. `learn` as in SimulationOptions.
  ConservationChecker(const v1::RunConfig& config, size_t parameters, bool learn);
  ~ConservationChecker() override;

  absl::string_view name() const override { return "conservation"; }
  void Look(const Simulation& simulation) override;

  // For a new process, by its number. Owned here.
  MixObserver* ObserverFor(uint64_t process);
  // The process is about to end, by whatever cause.
  void OnEnd(const SimPeer& peer);

  // Marks the deltas underway now. After a stretch without faults that is long enough for every pair
  // to exchange again, ExpectOrphansCounted judges those that nobody has applied still: each living
  // responder must have counted at least as many, with at least as large a sum of norms.
  void MarkUnderway();
  void ExpectOrphansCounted(const Simulation& simulation);

  // |sum now + underway - sum at the start| / sum of absolute values, as of the last look; 0 with
  // gradients on or a rule that does not conserve the sum.
  double relative_drift() const { return relative_drift_; }
  double worst_relative_drift() const { return worst_relative_drift_; }
  size_t underway() const { return underway_.size(); }
  // Of those marked, the ones that nobody has applied.
  size_t true_orphans() const;
  uint64_t responded() const { return responded_; }
  uint64_t committed() const { return committed_; }

 private:
  class Observer;
  struct Delta {
    uint64_t responder;
    size_t offset;
    SharedBytes reply;  // keeps the memory, and so the name
    std::vector<float> values;
    bool marked = false;
  };
  struct Process {
    std::unique_ptr<Observer> observer;
    // What exchanges added to its parameters, until they count in the sum.
    std::vector<double> gained;
    bool admitted = false;
  };

  void OnResponded(uint64_t process, size_t offset, size_t elements, const CodedBytes& reply);
  void OnCommitted(uint64_t process, size_t offset, size_t elements, const CodedBytes& reply);
  void Admit(const SimPeer& peer);

  const bool rule_conserves_;
  const bool measures_sum_;
  const bool judges_sum_;
  const size_t dimension_;
  std::map<uint64_t, Process> processes_;
  std::map<const char*, Delta> underway_;
  std::vector<double> expected_;  // sum of what all admitted peers came with
  std::vector<double> departed_;  // sum of what those that ended had last
  double relative_drift_ = 0;
  double worst_relative_drift_ = 0;
  uint64_t responded_ = 0;
  uint64_t committed_ = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_CONSERVATION_CHECKER_H_
