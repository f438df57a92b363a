#include "peer/cli/algorithms_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "peer/algorithms/registry.h"
#include "peer/cli/algorithm_facts.h"
#include "peer/cli/algorithms_json.h"
#include "peer/topology/topology_registry.h"

namespace starling {
namespace {

AlgorithmFacts FactsOf(absl::string_view name) { return FactsOf(*FindAlgorithm(name)); }

TEST(AlgorithmFactsTest, SchedulesAreToldByPeriodAndProbability) {
  EXPECT_EQ(FactsOf("easgd").exchange->schedule, "every 10 steps");
  EXPECT_EQ(FactsOf("adpsgd").exchange->schedule, "every step");
  EXPECT_EQ(FactsOf("elastic_gossip").exchange->schedule, "every step with probability 1/8");
}

TEST(AlgorithmFactsTest, PoliciesAreNamedByTheirClasses) {
  const AlgorithmFacts lsgd = FactsOf("lsgd");
  EXPECT_EQ(lsgd.exchange->selector, "Leader");
  EXPECT_EQ(lsgd.exchange->mix, "Pull");
  EXPECT_EQ(lsgd.exchange->payload, "the other's values");
  ASSERT_EQ(lsgd.also.size(), 1u);
  EXPECT_TRUE(absl::StrContains(lsgd.also[0], "tethers")) << lsgd.also[0];
  EXPECT_EQ(FactsOf("gosgd").exchange->mix, "PushSum");
  EXPECT_EQ(FactsOf("gosgd").exchange->payload, "values and weight one way");
}

TEST(AlgorithmFactsTest, RoundsAreToldByWhatTravelsAmongWhomAndWhoWaits) {
  const AlgorithmFacts allreduce = FactsOf("allreduce_sgd");
  ASSERT_EQ(allreduce.rounds.size(), 2u);
  EXPECT_EQ(allreduce.rounds[0].payload, "gradients");
  EXPECT_EQ(allreduce.rounds[0].outer, "");
  EXPECT_EQ(allreduce.rounds[1].schedule, "every 100 steps");
  EXPECT_EQ(allreduce.rounds[1].outer, "Plain");
  EXPECT_EQ(allreduce.waits, "yes");

  EXPECT_EQ(FactsOf("osgp").rounds[0].payload, "parameters and weight");
  EXPECT_EQ(FactsOf("osgp").rounds[0].order, "1 step may be made meanwhile");
  EXPECT_EQ(FactsOf("osgp").waits, "late");
  EXPECT_EQ(FactsOf("lasgd").rounds[0].order, "in the background");
  EXPECT_EQ(FactsOf("lasgd").waits, "no");
  EXPECT_EQ(FactsOf("gossip_pga").rounds[0].topology, "one_peer_exponential");
  EXPECT_EQ(FactsOf("gossip_pga").rounds[0].global, "everybody's mean every 6 rounds");
  EXPECT_TRUE(absl::StrContains(FactsOf("gossip_aga").rounds[0].global, "rarer"));
  EXPECT_EQ(FactsOf("noloco").rounds[0].payload, "parameters (2 vectors)");
}

TEST(AlgorithmFactsTest, WhoeverExchangesPairsWaitsForNobody) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    const AlgorithmFacts facts = FactsOf(row);
    EXPECT_TRUE(!facts.rounds.empty() || facts.waits == "no") << row.name;
  }
  EXPECT_FALSE(FactsOf("none").exchange.has_value());
}

TEST(AlgorithmFactsTest, NeedsAreACentreOrRounds) {
  EXPECT_EQ(NeedsWord(FactsOf("easgd")), "centre");
  EXPECT_EQ(NeedsWord(FactsOf("local_sgd")), "rounds");
  EXPECT_EQ(NeedsWord(FactsOf("elastic_gossip")), "-");
}

TEST(AlgorithmsViewTest, TheTableHasEveryAlgorithmAndFitsATerminal) {
  const std::string table = RenderAlgorithms();
  for (const absl::string_view line : absl::StrSplit(table, '\n')) {
    EXPECT_LE(line.size(), 80u) << line;
  }
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    EXPECT_TRUE(absl::StrContains(table, absl::StrCat("\n", row.name, " "))) << row.name;
  }
  EXPECT_TRUE(absl::StrContains(
      table,
      "\nelastic_gossip     kept     -       no    1812.02407  Pramod 2018\n"
      "    pairs of random workers pull each other together by the same force\n"))
      << table;
}

TEST(AlgorithmsViewTest, EveryAlgorithmIsToldInFull) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    const std::string text = RenderAlgorithm(row);
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(line.size(), 100u) << line;
    }
    for (const AlgorithmOptionSpec& option : row.options) {
      EXPECT_TRUE(absl::StrContains(text, absl::StrCat("\n  ", option.name, " "))) << text;
    }
    const absl::string_view first_reason = absl::string_view(row.guarantees.because).substr(0, 20);
    EXPECT_TRUE(absl::StrContains(text, first_reason)) << text;
  }
}

TEST(AlgorithmsViewTest, OneInFullReadsLikeThis) {
  EXPECT_EQ(RenderAlgorithm(*FindAlgorithm("eamsgd")),
            "eamsgd: EASGD with Nesterov momentum in velocity form on the workers\n"
            "paper        Zhang et al. 2015, https://arxiv.org/abs/1412.6651\n"
            "options\n"
            "  tau   10   [1, 1e+09], whole  steps between communications; up: fewer bytes, looser "
            "agreement\n"
            "  beta  0.9  (0, 2]             moving rate of the centre: both sides move beta / "
            "workers of their\n"
            "                                difference\n"
            "exchanges    every 10 steps; partner: Centre; mix: Elastic, values both ways\n"
            "centre       one peer more holds it: peerd --centre\n"
            "waits        never\n"
            "optimizers   nesterov_velocity\n"
            "guarantees   mixing never changes the sum over all peers, and without faults:\n"
            "             yes  peers that agree stay as they are\n"
            "             yes  without gradients peers come to agree\n"
            "             yes  one worker alone trains as its local optimizer does\n"
            "try          starling demo --algorithm=eamsgd\n");
}

TEST(AlgorithmsJsonTest, ProgramsReadTheSame) {
  const auto json = nlohmann::json::parse(
      AlgorithmsJson({FindAlgorithm("dynamic_easgd"), FindAlgorithm("allreduce_sgd")}));
  ASSERT_EQ(json["algorithms"].size(), 2u);
  const auto& easgd = json["algorithms"][0];
  EXPECT_EQ(easgd["name"], "dynamic_easgd");
  EXPECT_EQ(easgd["arxiv"], "2409.09242");
  EXPECT_EQ(easgd["needs_centre"], true);
  EXPECT_EQ(easgd["options"][1]["name"], "alpha");
  EXPECT_EQ(easgd["options"][1]["maximum"], 0.5);
  EXPECT_EQ(easgd["options"][1]["minimum_allowed"], false);
  EXPECT_EQ(easgd["exchange"]["mix"], "Staleness");
  EXPECT_EQ(easgd["guarantees"]["sum"], "moves");
  const auto& allreduce = json["algorithms"][1];
  EXPECT_TRUE(allreduce["arxiv"].is_null());
  EXPECT_TRUE(allreduce["exchange"].is_null());
  EXPECT_EQ(allreduce["rounds"][0]["topology"], "everyone");
  EXPECT_TRUE(allreduce["rounds"][0]["outer"].is_null());
}

TEST(AlgorithmsMarkdownTest, EveryRowOfATableHasAsManyCellsAsItsHead) {
  size_t cells = 0;
  for (const absl::string_view line : absl::StrSplit(AlgorithmsMarkdown(), '\n')) {
    if (!absl::StartsWith(line, "|")) {
      cells = 0;
      continue;
    }
    const size_t here = static_cast<size_t>(std::count(line.begin(), line.end(), '|'));
    if (cells == 0) cells = here;
    EXPECT_EQ(here, cells) << line;
  }
}

TEST(AlgorithmsMarkdownTest, TopologiesCarryTheirNumbers) {
  const std::string text = AlgorithmsMarkdown();
  for (size_t number = 0; number < TopologyRegistry().size(); ++number) {
    EXPECT_TRUE(absl::StrContains(
        text, absl::StrCat("\n| ", number, " | `", TopologyRegistry()[number].name, "` |")));
  }
}

TEST(AlgorithmsMarkdownTest, TheFileInTheTreeIsWhatWouldBeGeneratedNow) {
  std::ostringstream file;
  file << std::ifstream("docs/algorithms.md").rdbuf();
  EXPECT_TRUE(file.str() == AlgorithmsMarkdown())
      << "docs/algorithms.md is out of date; run\n"
         "  bazel run //peer/cli:starling -- algorithms --output=markdown > docs/algorithms.md";
}

}  // namespace
}  // namespace starling
