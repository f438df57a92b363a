// What a worker contributes to a round, and what it makes of the mix that comes back.
//
// The trainer owns one per RoundSpec and calls it between steps:
//
//   contribution ◀─ Begin(x)      ... the round: mixed = sum of weights times contributions ...
//   x            ◀─ Finish(own contribution, mixed)
//
// Finish always adds a difference to the parameters as they are by then, never overwrites them: local
// steps made while a round was under way are kept in full (an overwrite would undo half of them).
// Where it is called right after Begin's round, without steps in between, both are the same.
//
// Implementations may keep vectors of their own (anchors, outer momentum); those begin with the
// parameters of the first Begin. A call covers a fragment: the parameters [offset, offset + length).

#ifndef STARLING_PEER_ROUNDS_OUTER_OPTIMIZER_H_
#define STARLING_PEER_ROUNDS_OUTER_OPTIMIZER_H_

#include <cstddef>
#include <memory>

#include "absl/types/span.h"

namespace starling {

// Thread-compatible; owned by the TrainingActor.
class OuterOptimizer {
 public:
  // Everything of the worker that a round may read or change. All spans cover the fragment.
  struct State {
    absl::Span<float> parameters;
    // The local optimizer's momentum; empty if it has none.
    absl::Span<float> momentum;
    // First parameter of the fragment within the whole vector.
    size_t offset = 0;
    // Step length of the local optimizer.
    double rate = 0;
  };

  virtual ~OuterOptimizer() = default;

  // Vectors of the fragment's length that travel, one after the other in `contribution`.
  virtual size_t slots() const { return 1; }
  virtual void Begin(const State& state, absl::Span<float> contribution) = 0;
  // `own` is what Begin wrote; `mixed` has the same length.
  virtual void Finish(const State& state, absl::Span<const float> own,
                      absl::Span<const float> mixed) = 0;
};

// x += mixed - own. Local SGD, D-PSGD, Gossip-PGA, Crossover-SGD, LASGD, ...
std::unique_ptr<OuterOptimizer> MakePlainOuter();

// The overlapped GossipGraD of the authors' code: x = (x + other's old x) / 2, with mixed = (own +
// other's) / 2. Halves the learning rate of the swarm's mean; here for comparison only.
std::unique_ptr<OuterOptimizer> MakeOverwriteOuter();

// Two slots, parameters and momentum, both mixed (GossipGraD). One slot if there is no momentum.
// `has_momentum` as the local optimizer has it.
std::unique_ptr<OuterOptimizer> MakeMomentumSharingOuter(bool has_momentum);

// SlowMo (arXiv 1910.00643): s = beta s + (anchor - mixed) / rate; anchor -= step rate s; x moves
// from its contribution to the anchor. With a ring, beta = mu, step = 1 and a plain SGD step before
// each round this is DecentLaM (arXiv 2104.11981, eq. for m and x).
std::unique_ptr<OuterOptimizer> MakeSlowMomentumOuter(size_t elements, double beta, double step);

// DiLoCo (arXiv 2311.08105): D = anchor - mixed; m = momentum m + D; anchor -= rate (D + momentum m);
// x moves (1 - keep) of the way from its contribution to the anchor (keep > 0: Streaming DiLoCo, arXiv
// 2501.18512).
std::unique_ptr<OuterOptimizer> MakeNesterovOuter(size_t elements, double rate, double momentum,
                                                  double keep);

// NoLoCo (arXiv 2506.10911). Two slots, anchor and x:
// m = momentum m + rate (mean x - mean anchor) + pull (mean anchor - anchor); anchor += m; x moves from
// its contribution to the anchor.
std::unique_ptr<OuterOptimizer> MakeNoLoCoOuter(size_t elements, double momentum, double rate,
                                                double pull);

// GASLoC (arXiv 2606.11081): y = anchor + rate (x - anchor) travels; anchor' = y + alpha (mixed - y) +
// gamma (y - previous y); x moves from where it was to the new anchor. With pairs that mix half and
// half, alpha = 1 is exact pair averaging.
std::unique_ptr<OuterOptimizer> MakeGaslocOuter(size_t elements, double rate, double alpha,
                                                double gamma);

}  // namespace starling

#endif  // STARLING_PEER_ROUNDS_OUTER_OPTIMIZER_H_
