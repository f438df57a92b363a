// One row of the table of algorithms, and what rows are written with.

#ifndef STARLING_PEER_ALGORITHMS_ROW_H_
#define STARLING_PEER_ALGORITHMS_ROW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peer/gossip/algorithm.h"

namespace starling {

// An option of an algorithm: what it does, its default and the range it must lie in.
struct AlgorithmOptionSpec {
  absl::string_view name;
  double default_value;
  double minimum;
  double maximum;
  bool minimum_allowed;  // false: the range is open below
  bool whole;            // must be a whole number
  absl::string_view help;
};

// Every option of a row with its checked value.
class AlgorithmOptions {
 public:
  AlgorithmOptions(const std::vector<AlgorithmOptionSpec>& specs, std::vector<double> values)
      : specs_(specs), values_(std::move(values)) {}

  // An option of the row; any other name is a defect of the row and aborts.
  double operator[](absl::string_view name) const;
  uint64_t Whole(absl::string_view name) const {
    return static_cast<uint64_t>(operator[](name));
  }
  bool Flag(absl::string_view name) const { return operator[](name) != 0; }

 private:
  const std::vector<AlgorithmOptionSpec>& specs_;
  const std::vector<double> values_;
};

// What an algorithm may depend on beside its options.
struct AlgorithmContext {
  // Workers expected, the centre not counted; 0: not known, nothing that depends on it is checked.
  size_t workers = 0;
  // The run's: equal at all peers.
  uint64_t seed = 0;
};

// What holds of every run of an algorithm without faults; checkers and conformance tests configure
// themselves by it. Where something does not hold, `because` says why, for people.
struct AlgorithmGuarantees {
  enum class Sum {
    kConserved,      // mixing never changes the sum over all peers (and messages under way)
    kWeighted,       // nor the sum of push-sum weight times values
    kInExpectation,  // only on average over who meets whom
    kMoves,
  };
  Sum sum = Sum::kConserved;
  // Peers that agree, with no gradients and no momentum, stay as they are.
  bool agreement_is_fixed = true;
  // Without gradients peers come closer to each other until they agree.
  bool contracts = true;
  // After so many exchanges and rounds of each, on average, half of the distance is left at most, where all are
  // equally fast and options have their defaults, whatever momentum peers had when the gradients ended.
  double halves_in = 12;
  // Who meets whom follows from losses: without gradients nobody meets.
  bool needs_losses = false;
  // One worker alone trains exactly as its local optimizer does.
  bool alone_is_local = true;
  absl::string_view because;
};

struct AlgorithmRow {
  absl::string_view name;
  absl::string_view summary;
  absl::string_view paper;  // "Pramod 2018"; empty for baselines
  absl::string_view arxiv;  // "1812.02407"; empty: not there
  std::vector<AlgorithmOptionSpec> options;
  AlgorithmGuarantees guarantees;
  // Local optimizers that it works with, the usual one first; empty: all.
  std::vector<absl::string_view> optimizers;
  // INVALID_ARGUMENT, as MakeAlgorithm says, which puts the algorithm's name before the message.
  absl::StatusOr<Algorithm> (*make)(const AlgorithmOptions& options,
                                    const AlgorithmContext& context);
};

// Options that several rows have.
AlgorithmOptionSpec PeriodOption(double default_value);       // "tau", steps
AlgorithmOptionSpec ProbabilityOption(double default_value);  // "p"
AlgorithmOptionSpec FlagOption(absl::string_view name, bool default_value, absl::string_view help);
AlgorithmOptionSpec TopologyOption(double default_value);  // "topology", its number

// A round among `topology` every `period` steps whose mix is simply taken over.
RoundSpec PlainRounds(std::unique_ptr<const Topology> topology, uint64_t period);

// Everybody's mean gradient in every step, and everybody's mean every `resync` steps; 0: never.
std::vector<RoundSpec> AverageGradients(uint64_t resync);

// PlainRounds along the topology that option "topology" names. INVALID_ARGUMENT: as CheckTopology.
absl::StatusOr<RoundSpec> RoundsAlongTopology(const AlgorithmOptions& options,
                                              const AlgorithmContext& context, uint64_t period);

// INVALID_ARGUMENT: the topology does not work with so many workers. OK if that is not known.
absl::Status CheckTopology(const Topology& topology, const AlgorithmContext& context);

// INVALID_ARGUMENT: steps of that length with Nesterov momentum overshoot more each time, even where the
// workers have found the optimum: rate must be below 2 (1 + momentum) / (1 + 2 momentum).
absl::Status CheckOuterNesterov(double rate, double momentum);

}  // namespace starling

#endif  // STARLING_PEER_ALGORITHMS_ROW_H_
