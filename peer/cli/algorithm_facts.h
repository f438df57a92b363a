// What an algorithm is made of, in words, read off the Algorithm that its row builds with default
// options. Nothing here knows any algorithm by name. Pure.

#ifndef STARLING_PEER_CLI_ALGORITHM_FACTS_H_
#define STARLING_PEER_CLI_ALGORITHM_FACTS_H_

#include <optional>
#include <string>
#include <vector>

#include "peer/algorithms/row.h"

namespace starling {

struct ExchangeFacts {
  std::string schedule;  // "every 10 steps", "every step with probability 1/8"
  std::string selector;  // the policy's class without what all of its kind end in: "Uniform"
  std::string mix;       // as well: "Elastic"
  std::string payload;   // "values both ways", "values one way", ...
};

struct RoundFacts {
  std::string payload;   // "gradients", "parameters", "parameters and weight", ...
  std::string schedule;  // "every 8 steps"
  std::string topology;  // name, as in the table of topologies
  std::string outer;     // the outer optimizer's class: "Plain"; empty for gradients
  std::string order;     // "training waits", "1 step may be made meanwhile", "in the background"
  std::string global;    // when everybody's mean is taken instead; empty: never
};

struct AlgorithmFacts {
  std::optional<ExchangeFacts> exchange;
  std::vector<RoundFacts> rounds;
  // What else it does, a phrase each.
  std::vector<std::string> also;
  bool needs_centre = false;
  // "yes": a step may wait for others; "late": only for a round that is behind; "no".
  std::string waits;
};

AlgorithmFacts FactsOf(const AlgorithmRow& row);

// "kept", "weighed", "in mean", "moves".
std::string SumWord(AlgorithmGuarantees::Sum sum);
// The same as half a sentence.
std::string SumText(AlgorithmGuarantees::Sum sum);

// "centre", "rounds" or "-".
std::string NeedsWord(const AlgorithmFacts& facts);

// "[1, 1e+09], whole", "(0, 1]".
std::string RangeText(const AlgorithmOptionSpec& option);
// "0.125", "10".
std::string OptionValueText(double value);

}  // namespace starling

#endif  // STARLING_PEER_CLI_ALGORITHM_FACTS_H_
