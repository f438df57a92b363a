// A swarm that makes rounds, without the daemon around it: every worker steps at once, and the
// shipped topologies and outer optimizers do what the RoundSpecs say. No clock, no network, nothing
// lost.
//
// A step, in this order:
//   gradients at x; rounds over gradients that are due; the local step;
//   parameter rounds that have been under way for their delay end; those that are due begin
// With delay 0 the two latter happen at once (adapt, then combine). With delay 1 the step between
// them takes its gradient at the unmixed parameters (combine while adapting).
//
// A worker's x is its model. Where rounds move mass, that is the push-sum estimate and not the
// numerator: mass times x is what the network conserves.

#ifndef STARLING_TESTS_CONFORMANCE_LOCKSTEP_H_
#define STARLING_TESTS_CONFORMANCE_LOCKSTEP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "peer/rounds/round_spec.h"
#include "tests/conformance/local_step.h"

namespace starling {

class Lockstep {
 public:
  struct Options {
    LocalOptimizer local;
    std::vector<RoundSpec> rounds;
    // Parts of a contribution that mix each on its own.
    uint32_t segments = 1;
    // Steps that a round in the background lasts.
    uint64_t background_steps = 3;
    uint64_t seed = 1;
    // Whether the outer optimizers meet the start, or the parameters of the first round only.
    bool prime = true;
  };

  Lockstep(Options options, std::vector<Gradient> gradients, std::vector<Values> start);

  void Step();
  void Run(uint64_t steps);

  const std::vector<Values>& x() const { return x_; }
  const std::vector<Values>& momentum() const { return momentum_; }
  // Push-sum weight of each worker.
  const std::vector<double>& mass() const { return mass_; }
  // Numbers that one worker contributed in the last step.
  size_t numbers_sent() const { return numbers_sent_; }

 private:
  struct Round {
    const RoundSpec* spec;
    std::vector<std::unique_ptr<OuterOptimizer>> outers;  // of each worker
    bool under_way = false;
    uint64_t age = 0;
    uint64_t number = 0;
    std::vector<Values> own;
  };

  uint64_t DelayOf(const RoundSpec& spec) const;
  OuterOptimizer::State StateOf(const Round& round, size_t worker);
  void Begin(Round& round, uint64_t number);
  void Finish(Round& round);
  // The mix of each worker. `slots` vectors lie behind one another in each contribution.
  std::vector<Values> Mix(const RoundSpec& spec, uint64_t number, size_t slots,
                          const std::vector<Values>& contributions);

  const Options options_;
  const std::vector<Gradient> gradients_;
  std::vector<Values> x_;
  std::vector<Values> momentum_;
  std::vector<double> mass_;
  std::vector<Round> rounds_;
  uint64_t step_ = 0;
  size_t numbers_sent_ = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_CONFORMANCE_LOCKSTEP_H_
