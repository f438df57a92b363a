#include "peer/topology/topology_registry.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(TopologyRegistryTest, NamesAreUniqueAndEveryRowExplainsItself) {
  std::set<std::string> names;
  for (const TopologyRow& row : TopologyRegistry()) {
    EXPECT_TRUE(names.emplace(row.name).second) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_FALSE(absl::StrContains(row.help, "\n")) << row.name;
    if (!row.parameter.has_value()) continue;
    EXPECT_FALSE(row.parameter->help.empty()) << row.name;
    EXPECT_LE(row.parameter->minimum, row.parameter->default_value) << row.name;
    EXPECT_LE(row.parameter->default_value, row.parameter->maximum) << row.name;
  }
}

// Run configurations hold these numbers.
TEST(TopologyRegistryTest, NumbersStayWhatTheyAre) {
  const std::vector<std::string> names = {
      "everyone",
      "complete",
      "ring",
      "lazy_ring",
      "one_peer_ring",
      "one_peer_exponential",
      "multi_peer_exponential",
      "hypercube",
      "dissemination",
      "matching_exponential",
      "bipartite_exponential",
      "random_matching",
      "random_derangement",
      "crossover_derangement",
      "random_groups",
      "groups",
      "complete_between_groups",
      "complete_alternating_groups",
      "rotated_hypercube",
      "rotated_dissemination",
  };
  ASSERT_GE(TopologyRegistry().size(), names.size());
  for (uint64_t number = 0; number < names.size(); ++number) {
    EXPECT_EQ((*MakeTopology(number))->name(), names[number]);
  }
}

TEST(TopologyRegistryTest, ATopologyIsChosenByNameOrByNumber) {
  EXPECT_EQ((*MakeTopology("hypercube"))->name(), "hypercube");
  EXPECT_EQ((*MakeTopology(uint64_t{7}))->name(), "hypercube");
}

TEST(TopologyRegistryTest, TheParameterReachesTheTopology) {
  EXPECT_EQ((*MakeTopology("groups", 4))->Of({8, 0, 0, 0, 0}).in.size(), 3);
  EXPECT_EQ((*MakeTopology("groups"))->Of({8, 0, 0, 0, 0}).in.size(), 1) << "2 by default";
  EXPECT_EQ((*MakeTopology("complete_between_groups", 4))->Of({12, 0, 0, 0, 0}).in.size(), 2);
  EXPECT_EQ((*MakeTopology("multi_peer_exponential", 3))->Of({16, 0, 0, 0, 0}).in.size(), 3);
  EXPECT_EQ((*MakeTopology("rotated_hypercube", 4))->exact_after(16), 7);
  EXPECT_EQ((*MakeTopology("rotated_hypercube", 1))->exact_after(16), 0);
}

void ExpectInvalid(const absl::Status& status, absl::string_view message) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), message)) << status;
}

TEST(TopologyRegistryTest, MistakesAreNamedTogetherWithARemedy) {
  ExpectInvalid(MakeTopology("hypercub").status(), "did you mean \"hypercube\"?");
  ExpectInvalid(MakeTopology(uint64_t{1000}).status(),
                "there is no topology number 1000. Known: 0 everyone, 1 complete, ");
  ExpectInvalid(MakeTopology("ring", 2).status(),
                "topology \"ring\" has no parameter, but is given 2: leave it out");
  ExpectInvalid(MakeTopology("random_groups", 1).status(),
                "group_size of topology \"random_groups\" is 1; it must be in [2, 1000000]: "
                "members");
  ExpectInvalid(MakeTopology("multi_peer_exponential", uint64_t{1} << 60).status(),
                "is 1152921504606846976; it must be in [1, 1000000]");
}

}  // namespace
}  // namespace starling
