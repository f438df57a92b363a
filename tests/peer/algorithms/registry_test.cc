#include "peer/algorithms/registry.h"

#include <limits>
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::AlgorithmConfig Config(const std::string& name,
                           std::vector<std::pair<std::string, double>> options = {}) {
  v1::AlgorithmConfig config;
  config.set_name(name);
  for (const auto& [option_name, value] : options) {
    v1::AlgorithmOption* option = config.add_options();
    option->set_name(option_name);
    option->set_value(value);
  }
  return config;
}

std::string ErrorOf(const v1::AlgorithmConfig& config) {
  const absl::Status made = MakeAlgorithm(config).status();
  EXPECT_TRUE(absl::IsInvalidArgument(made)) << made;
  EXPECT_EQ(CompleteAlgorithmConfig(config).status(), made);
  return std::string(made.message());
}

TEST(AlgorithmRegistryTest, EveryRowMakesAnAlgorithmFromItsDefaults) {
  std::set<std::string> names;
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    const std::string name(row.name);
    EXPECT_TRUE(names.insert(name).second) << name << " is there twice";
    const absl::StatusOr<Algorithm> algorithm = MakeAlgorithm(Config(name));
    ASSERT_TRUE(algorithm.ok()) << algorithm.status();
    EXPECT_EQ(algorithm->name, name);
    EXPECT_EQ(FindAlgorithm(name), &row);
    if (algorithm->mix == nullptr) continue;
    EXPECT_NE(algorithm->schedule, nullptr) << name;
    EXPECT_NE(algorithm->selector, nullptr) << name;
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf({"none", "elastic_gossip", "gossiping_sgd", "diloco"}));
  EXPECT_EQ(FindAlgorithm("nobody_wrote_this_one"), nullptr);
}

TEST(AlgorithmRegistryTest, EveryDefaultLiesInItsRangeAndEveryOptionIsExplained) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    for (const AlgorithmOptionSpec& option : row.options) {
      EXPECT_TRUE(MakeAlgorithm(Config(std::string(row.name),
                                       {{std::string(option.name), option.default_value}}))
                      .ok())
          << row.name << " " << option.name;
      EXPECT_FALSE(option.help.empty()) << row.name << " " << option.name;
    }
  }
}

TEST(AlgorithmRegistryTest, NoneNeverExchangesAndHasNoRounds) {
  const absl::StatusOr<Algorithm> none = MakeAlgorithm(Config("none"));
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->mix, nullptr);
  EXPECT_TRUE(none->rounds.empty());
}

TEST(AlgorithmRegistryTest, ATopologyThatTheWorkersDoNotFitIsRefusedWithWhatWouldFit) {
  const v1::AlgorithmConfig hypercube = Config("gossipgrad", {{"hypercube", 1}, {"rotate", 0}});
  EXPECT_TRUE(MakeAlgorithm(hypercube, {.workers = 8}).ok());
  EXPECT_TRUE(MakeAlgorithm(hypercube).ok());  // not known: not judged
  const absl::Status refused = MakeAlgorithm(hypercube, {.workers = 6}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr("gossipgrad"), HasSubstr("6")));
}

TEST(AlgorithmRegistryTest, AnAlgorithmThatBringsPartOfTheOptimizerNamesThoseThatItWorksWith) {
  EXPECT_TRUE(CheckOptimizer("decentlam", "sgd").ok());
  EXPECT_TRUE(CheckOptimizer("local_sgd", "adamw").ok());
  const absl::Status refused = CheckOptimizer("decentlam", "adamw");
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("decentlam"), HasSubstr("adamw"), HasSubstr("sgd")));
}

TEST(AlgorithmRegistryTest, OptionsReachThePoliciesWhateverTheirOrder) {
  const absl::StatusOr<Algorithm> elastic =
      MakeAlgorithm(Config("elastic_gossip", {{"tau", 5}, {"alpha", 0.25}, {"p", 1}}));
  ASSERT_TRUE(elastic.ok()) << elastic.status();
  Random random(1);
  EXPECT_FALSE(elastic->schedule->Triggers(4, random));
  EXPECT_TRUE(elastic->schedule->Triggers(5, random));
  std::vector<float> own = {8};
  std::vector<float> reply = {0};
  MixTerms terms;
  elastic->mix->Respond(absl::MakeSpan(own), {0.0f}, absl::MakeSpan(reply), terms);
  EXPECT_EQ(own[0], 6);

  const absl::StatusOr<Algorithm> pull = MakeAlgorithm(Config("gossiping_sgd", {{"tau", 7}, {"p", 1}}));
  ASSERT_TRUE(pull.ok());
  EXPECT_FALSE(pull->mix->request_has_payload());
  EXPECT_FALSE(pull->schedule->Triggers(6, random));
  EXPECT_TRUE(pull->schedule->Triggers(7, random));
}

TEST(AlgorithmRegistryTest, AnUnknownNameIsAnsweredWithTheNearest) {
  EXPECT_THAT(ErrorOf(Config("elastic_gosip")),
              AllOf(HasSubstr("elastic_gosip"), HasSubstr("did you mean \"elastic_gossip\"?")));
  EXPECT_THAT(ErrorOf(Config("carrier_pigeon")),
              AllOf(HasSubstr("carrier_pigeon"), HasSubstr("elastic_gossip"), HasSubstr("none"),
                    HasSubstr("gossiping_sgd"), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(ErrorOf(Config("")), HasSubstr("elastic_gossip"));
  EXPECT_THAT(ErrorOf(Config("two\nlines\x1b[2J")), AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
}

TEST(AlgorithmRegistryTest, AnUnknownOptionIsAnsweredWithTheNearest) {
  EXPECT_THAT(ErrorOf(Config("elastic_gossip", {{"alpah", 0.5}})),
              AllOf(HasSubstr("elastic_gossip"), HasSubstr("did you mean \"alpha\"?")));
  EXPECT_THAT(ErrorOf(Config("gossiping_sgd", {{"alpha", 0.5}})),
              AllOf(HasSubstr("gossiping_sgd"), HasSubstr("\"alpha\""), HasSubstr("tau")));
  EXPECT_THAT(ErrorOf(Config("none", {{"p", 0.5}})),
              AllOf(HasSubstr("\"none\""), HasSubstr("\"p\""), HasSubstr("no options")));
}

TEST(AlgorithmRegistryTest, AnOptionGivenTwiceIsRefused) {
  EXPECT_THAT(ErrorOf(Config("elastic_gossip", {{"p", 0.5}, {"p", 0.5}})),
              AllOf(HasSubstr("\"p\""), HasSubstr("twice")));
}

TEST(AlgorithmRegistryTest, AValueOutOfItsRangeIsAnsweredWithTheRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double p : {0.0, -0.1, 1.0001, nan, infinity}) {
    EXPECT_THAT(ErrorOf(Config("elastic_gossip", {{"p", p}})),
                AllOf(HasSubstr("\"p\""), HasSubstr("(0, 1]")));
  }
  for (const double alpha : {0.0, 0.6, nan}) {
    EXPECT_THAT(ErrorOf(Config("elastic_gossip", {{"alpha", alpha}})),
                AllOf(HasSubstr("\"alpha\""), HasSubstr("(0, 0.5]")));
  }
  for (const double tau : {0.0, 1.5, 1e10, -3.0, nan, infinity}) {
    EXPECT_THAT(ErrorOf(Config("gossiping_sgd", {{"tau", tau}})),
                AllOf(HasSubstr("\"tau\""), HasSubstr("a whole number in [1, 1e+09]")));
  }
}

TEST(AlgorithmRegistryTest, ACompleteConfigNamesEveryOptionSorted) {
  const absl::StatusOr<v1::AlgorithmConfig> complete =
      CompleteAlgorithmConfig(Config("elastic_gossip", {{"tau", 4}, {"alpha", 0.25}}));
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(complete->SerializeAsString(),
            Config("elastic_gossip",
                   {{"alpha", 0.25}, {"distance_penalty", 0}, {"p", 0.125}, {"tau", 4}})
                .SerializeAsString());
}

TEST(AlgorithmRegistryTest, CompletingTwiceChangesNothing) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    const absl::StatusOr<v1::AlgorithmConfig> once =
        CompleteAlgorithmConfig(Config(std::string(row.name)));
    ASSERT_TRUE(once.ok()) << once.status();
    EXPECT_EQ(once->options_size(), row.options.size());
    const absl::StatusOr<v1::AlgorithmConfig> twice = CompleteAlgorithmConfig(*once);
    ASSERT_TRUE(twice.ok()) << twice.status();
    EXPECT_EQ(once->SerializeAsString(), twice->SerializeAsString());
  }
}

}  // namespace
}  // namespace starling
