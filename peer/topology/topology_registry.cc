#include "peer/topology/topology_registry.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/nearest_name.h"
#include "peer/topology/everyone.h"
#include "peer/topology/exponential.h"
#include "peer/topology/exponential_pairs.h"
#include "peer/topology/groups.h"
#include "peer/topology/lazy.h"
#include "peer/topology/random_pairs.h"
#include "peer/topology/ring.h"
#include "peer/topology/rotated.h"

namespace starling {
namespace {

using Made = std::unique_ptr<const Topology>;

constexpr TopologyParameter kGroupSize = {
    "group_size", "members per group, the last may be shorter; up: closer agreement, more bytes", 2,
    2, 1000000};
constexpr TopologyParameter kPeers = {
    "peers", "members sent to per round; up: fewer rounds to agreement, more bytes in each", 2, 1,
    1000000};
constexpr TopologyParameter kRotation = {
    "rounds_per_topology",
    "rounds until seats are drawn anew, 0: ceil(log2 n); down: more different partners, but below "
    "ceil(log2 n) no exact mean",
    0, 0, 1000000};

std::vector<TopologyRow> Rows() {
  return {
      {"everyone", "all members at once, by a reduction: the exact mean every round", {},
       [](uint64_t) { return MakeEveryone(); }},
      {"complete", "all members, neighbour by neighbour: exact, n - 1 models sent per member", {},
       [](uint64_t) { return MakeComplete(); }},
      {"ring", "both neighbours in a circle, 1/3 each: D-PSGD's graph", {},
       [](uint64_t) { return MakeRing(); }},
      {"lazy_ring", "the ring at half the strength: eigenvalues in [0, 1]", {},
       [](uint64_t) { return MakeLazy(MakeRing()); }},
      {"one_peer_ring", "pairs along a circle, even and odd ones by turns", {},
       [](uint64_t) { return MakeOnePeerRing(); }},
      {"one_peer_exponential", "send ahead by 1, 2, 4, ...: SGP's graph, exact for 2^r members", {},
       [](uint64_t) { return MakeOnePeerExponential(); }},
      {"multi_peer_exponential", "several exponential distances a round, exact for (peers + 1)^r",
       kPeers, [](uint64_t peers) { return MakeMultiPeerExponential(peers); }},
      {"hypercube", "pairs that differ in one bit of their number; 2^r members", {},
       [](uint64_t) { return MakeHypercube(); }},
      {"dissemination", "receive from ahead by 1, 2, 4, ...: GossipGraD's other graph", {},
       [](uint64_t) { return MakeDissemination(); }},
      {"matching_exponential", "Decent-DP's pairs at distance 1, 2, 4, ...; 2^r members", {},
       [](uint64_t) { return MakeMatchingExponential(); }},
      {"bipartite_exponential", "odd members meet even ones at exponential distances: for AD-PSGD",
       {}, [](uint64_t) { return MakeBipartiteExponential(); }},
      {"random_matching", "pairs by lot, the same lot at everybody; an odd one idles", {},
       [](uint64_t) { return MakeRandomMatching(); }},
      {"random_derangement", "receive from one, send to another, by lot for every segment", {},
       [](uint64_t) { return MakeRandomDerangement(); }},
      {"crossover_derangement", "the same as Crossover-SGD's authors draw it: uneven odds", {},
       [](uint64_t) { return MakeCrossoverDerangement(); }},
      {"random_groups", "groups by lot take their common mean: NoLoCo with 2", kGroupSize,
       [](uint64_t size) { return MakeRandomGroups(size); }},
      {"groups", "fixed groups of consecutive members take their common mean", kGroupSize,
       [](uint64_t size) { return MakeGroups(size); }},
      {"complete_between_groups", "members of equal rank in all fixed groups take their mean",
       kGroupSize, [](uint64_t size) { return MakeBetweenGroups(size, MakeComplete()); }},
      {"complete_alternating_groups", "within fixed groups and between them by turns", kGroupSize,
       [](uint64_t size) { return MakeAlternatingGroups(size, MakeComplete()); }},
      {"rotated_hypercube", "hypercube, seats drawn anew after every cycle: GossipGraD; any number",
       kRotation, [](uint64_t rounds) { return MakeRotated(MakeHypercube(), rounds); }},
      {"rotated_dissemination", "dissemination, seats drawn anew after every cycle: GossipGraD",
       kRotation, [](uint64_t rounds) { return MakeRotated(MakeDissemination(), rounds); }},
  };
}

absl::StatusOr<Made> MakeRow(const TopologyRow& row, absl::optional<uint64_t> parameter) {
  if (!row.parameter.has_value()) {
    if (!parameter.has_value()) return row.make(0);
    return absl::InvalidArgumentError(absl::StrCat("topology \"", row.name,
                                                   "\" has no parameter, but is given ", *parameter,
                                                   ": leave it out"));
  }
  const uint64_t value = parameter.value_or(row.parameter->default_value);
  if (value < row.parameter->minimum || value > row.parameter->maximum) {
    return absl::InvalidArgumentError(
        absl::StrCat(row.parameter->name, " of topology \"", row.name, "\" is ", value,
                     "; it must be in [", row.parameter->minimum, ", ", row.parameter->maximum,
                     "]: ", row.parameter->help));
  }
  return row.make(value);
}

}  // namespace

const std::vector<TopologyRow>& TopologyRegistry() {
  static const auto* const rows = new std::vector<TopologyRow>(Rows());
  return *rows;
}

absl::StatusOr<Made> MakeTopology(absl::string_view name, absl::optional<uint64_t> parameter) {
  std::vector<std::string> known;
  for (const TopologyRow& row : TopologyRegistry()) {
    if (row.name == name) return MakeRow(row, parameter);
    known.emplace_back(row.name);
  }
  return UnknownNameError("topology", name, known);
}

absl::StatusOr<Made> MakeTopology(uint64_t number, absl::optional<uint64_t> parameter) {
  const std::vector<TopologyRow>& rows = TopologyRegistry();
  if (number < rows.size()) return MakeRow(rows[number], parameter);
  std::string known;
  for (size_t i = 0; i < rows.size(); ++i) {
    absl::StrAppend(&known, i == 0 ? "" : ", ", i, " ", rows[i].name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no topology number ", number, ". Known: ", known));
}

}  // namespace starling
