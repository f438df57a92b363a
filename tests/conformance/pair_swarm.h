// A swarm that exchanges in pairs, without the daemon around it: the shipped rules and selectors,
// one exchange after the other, nothing lost.

#ifndef STARLING_TESTS_CONFORMANCE_PAIR_SWARM_H_
#define STARLING_TESTS_CONFORMANCE_PAIR_SWARM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "peer/gossip/mix_rule.h"
#include "peer/gossip/peer_selector.h"
#include "tests/conformance/local_step.h"

namespace starling {

struct PairWorker {
  Values x;
  double mass = 1;
};

std::vector<PairWorker> WorkersAt(const std::vector<Values>& x);
std::vector<Values> ValuesOf(const std::vector<PairWorker>& workers);

// One exchange. `meanwhile` runs between the responder's half and the initiator's.
MixNorms Exchange(const MixRule& rule, PairWorker& initiator, PairWorker& responder,
                  double staleness = 0, const std::function<void()>& meanwhile = nullptr);

// Exchanges of one moment: each reads what all were before, and what they change adds up. Pairs are
// (initiator, responder).
void ExchangeAtOnce(const MixRule& rule, std::vector<PairWorker>& workers,
                    const std::vector<std::pair<size_t, size_t>>& pairs);

// Workers that step all at once, then start exchanges one after the other.
class PairSwarm {
 public:
  struct Options {
    LocalOptimizer local;
    std::shared_ptr<const MixRule> rule;
    std::shared_ptr<const PeerSelector> selector;
    // Of each worker starting an exchange after a step.
    double p = 1;
    uint64_t seed = 1;
    // Losses that the selector sees; empty: none are known.
    std::vector<double> losses;
  };

  // A worker with a null gradient holds the centre.
  PairSwarm(Options options, std::vector<Gradient> gradients, std::vector<Values> start);

  void Step();
  void Run(uint64_t steps);

  std::vector<Values> x() const { return ValuesOf(workers_); }
  const std::vector<PairWorker>& workers() const { return workers_; }
  const std::vector<Values>& momentum() const { return momentum_; }

 private:
  Candidate CandidateOf(size_t worker) const;

  const Options options_;
  const std::vector<Gradient> gradients_;
  std::vector<PairWorker> workers_;
  std::vector<Values> momentum_;
  Random random_;
  uint64_t step_ = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_CONFORMANCE_PAIR_SWARM_H_
