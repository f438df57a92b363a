// What holds for every row of the table, for every number of members, round and segment.

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "peer/topology/mixing_matrix.h"
#include "peer/topology/topology_registry.h"

namespace starling {
namespace {

struct Case {
  std::string name;
  uint64_t number;
  uint64_t parameter;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// Every row with its default parameter and with a few others.
std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto& rows = TopologyRegistry();
  for (uint64_t number = 0; number < rows.size(); ++number) {
    const std::string name(rows[number].name);
    if (!rows[number].parameter.has_value()) {
      cases.push_back({name, number, 0});
      continue;
    }
    const TopologyParameter& parameter = *rows[number].parameter;
    std::map<uint64_t, bool> values = {{parameter.default_value, true}, {parameter.minimum, true},
                                       {parameter.maximum, true},       {3, true},
                                       {4, true},                       {7, true}};
    for (const auto& [value, unused] : values) {
      if (value < parameter.minimum || value > parameter.maximum) continue;
      cases.push_back({absl::StrCat(name, "_", value), number, value});
    }
  }
  return cases;
}

std::vector<size_t> MemberCounts() {
  std::vector<size_t> counts;
  for (size_t n = 1; n <= 33; ++n) counts.push_back(n);
  counts.push_back(64);
  return counts;
}

std::vector<RoundPlace> Rounds(size_t members) {
  std::vector<RoundPlace> places;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  for (const uint64_t round : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}) {
    places.push_back({members, 0, round, 0, 17});
  }
  for (const uint64_t round : {uint64_t{1} << 33, kMax - 1, kMax}) {
    for (const uint32_t segment : {0u, 1u, 4000000000u}) {
      places.push_back({members, 0, round, segment, kMax});
    }
  }
  return places;
}

std::string Text(const RoundPlace& place) {
  return absl::StrCat(place.members, " members, round ", place.round, ", segment ", place.segment);
}

std::vector<Neighbours> Everybody(const Topology& topology, RoundPlace place) {
  std::vector<Neighbours> rows;
  for (place.self = 0; place.self < place.members; ++place.self) rows.push_back(topology.Of(place));
  return rows;
}

class TopologyConformanceTest : public testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<const Topology> Make() const {
    return *MakeTopology(GetParam().number,
                         TopologyRegistry()[GetParam().number].parameter.has_value()
                             ? absl::optional<uint64_t>(GetParam().parameter)
                             : absl::nullopt);
  }
  const std::unique_ptr<const Topology> topology_ = Make();
};

TEST_P(TopologyConformanceTest, IsCalledAsItsRow) {
  EXPECT_EQ(topology_->name(), TopologyRegistry()[GetParam().number].name);
}

TEST_P(TopologyConformanceTest, WhoReceivesFromWhomAndWhoSendsToWhomAreInverse) {
  for (const size_t n : MemberCounts()) {
    for (const RoundPlace& place : Rounds(n)) {
      const std::vector<Neighbours> rows = Everybody(*topology_, place);
      std::vector<std::vector<size_t>> out(n);
      for (size_t i = 0; i < n; ++i) {
        size_t next_allowed = 0;
        for (const Inbound& inbound : rows[i].in) {
          ASSERT_LT(inbound.from, n) << Text(place);
          ASSERT_GE(inbound.from, next_allowed) << "ascending and distinct; " << Text(place);
          ASSERT_NE(inbound.from, i) << "never self; " << Text(place);
          ASSERT_GT(inbound.weight, 0) << Text(place);
          next_allowed = inbound.from + 1;
          out[inbound.from].push_back(i);
        }
      }
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(rows[i].out, out[i]) << i << " of " << Text(place);
    }
  }
}

TEST_P(TopologyConformanceTest, RowsAddUpToOneAndColumnsToo) {
  for (const size_t n : MemberCounts()) {
    for (const RoundPlace& place : Rounds(n)) {
      const MixingMatrix matrix = MixingMatrix::Of(*topology_, place);
      ASSERT_TRUE(matrix.RowStochastic()) << Text(place);
      if (topology_->doubly_stochastic(n)) {
        ASSERT_TRUE(matrix.ColumnStochastic()) << Text(place);
      }
    }
  }
}

TEST_P(TopologyConformanceTest, IsSymmetricIfAndOnlyIfItSaysSo) {
  bool always = true;
  for (const size_t n : MemberCounts()) {
    for (const RoundPlace& place : Rounds(n)) {
      const bool symmetric = MixingMatrix::Of(*topology_, place).Symmetric();
      if (topology_->symmetric()) {
        ASSERT_TRUE(symmetric) << Text(place);
      }
      always = always && symmetric;
    }
  }
  // One that could serve exchanges of pairs should say so; with very many peers all are one group.
  if (GetParam().parameter < 1000) {
    EXPECT_EQ(topology_->symmetric(), always);
  }
}

TEST_P(TopologyConformanceTest, TheSamePlaceHasTheSameNeighboursWheneverAndWhoeverAsks) {
  const std::unique_ptr<const Topology> other = Make();
  for (const size_t n : {2, 5, 8, 33}) {
    const std::vector<RoundPlace> rounds = Rounds(n);
    std::vector<std::vector<Neighbours>> forwards;
    for (const RoundPlace& place : rounds) forwards.push_back(Everybody(*topology_, place));
    for (size_t k = rounds.size(); k-- > 0;) {
      RoundPlace place = rounds[k];
      for (size_t i = n; i-- > 0;) {
        place.self = i;
        ASSERT_EQ(topology_->Of(place), forwards[k][i]) << i << " of " << Text(place);
        ASSERT_EQ(other->Of(place), forwards[k][i]) << i << " of " << Text(place);
      }
    }
  }
}

TEST_P(TopologyConformanceTest, AMemberAloneMixesWithNobody) {
  for (const RoundPlace& place : Rounds(1)) EXPECT_EQ(topology_->Of(place), Neighbours{});
  EXPECT_EQ(topology_->exact_after(1), 0);
}

TEST_P(TopologyConformanceTest, EverybodyMeansEverybodyAlike) {
  if (!topology_->everyone()) GTEST_SKIP() << "neighbour by neighbour";
  for (const size_t n : MemberCounts()) {
    for (const RoundPlace& place : Rounds(n)) {
      ASSERT_LT(MixingMatrix::Of(*topology_, place).DistanceToMean(), 1e-12) << Text(place);
    }
  }
}

TEST_P(TopologyConformanceTest, IsExactAfterAsManyRoundsAsItPromisesFromAnyRoundOn) {
  for (const size_t n : MemberCounts()) {
    const uint64_t rounds = topology_->exact_after(n);
    if (rounds == 0) continue;
    for (const uint64_t first : {0, 1, 2, 3, 5, 8, 13, 1000003}) {
      const RoundPlace place = {n, 0, first, 2, 5};
      ASSERT_LT(MixingMatrix::Of(*topology_, place, rounds).DistanceToMean(), 1e-12)
          << Text(place) << ", after " << rounds;
    }
  }
}

TEST_P(TopologyConformanceTest, AgreesInTheLongRunUnlessItsGroupsNeverMeet) {
  const bool separate =
      topology_->name() == "groups" || topology_->name() == "complete_between_groups";
  if (separate) GTEST_SKIP() << "half of a pair of topologies";
  for (size_t n = 1; n <= 12; ++n) {
    const RoundPlace place = {n, 0, 0, 0, 3};
    EXPECT_LT(MixingMatrix::Of(*topology_, place, 600).DistanceToMean(), 1e-6) << n;
  }
}

TEST_P(TopologyConformanceTest, WhatIsNotSupportedIsNamedTogetherWithARemedy) {
  for (const size_t n : MemberCounts()) {
    const absl::Status status = topology_->Supports(n);
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), topology_->name())) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("here ", n))) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), ": use ")) << status;
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, TopologyConformanceTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace starling
