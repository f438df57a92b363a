#include "peer/cli/demo_algorithm.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "peer/algorithms/registry.h"

namespace starling {
namespace {

using Names = std::vector<std::string>;

std::string Complaint(const absl::Status& status) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  return std::string(status.message());
}

TEST(DemoAlgorithmTest, ACentreIsWantedWhereTheAlgorithmNeedsOne) {
  EXPECT_TRUE(WithAlgorithm({}, "easgd:tau=4")->centre);
  EXPECT_FALSE(WithAlgorithm({.centre = true}, "elastic_gossip")->centre);
  EXPECT_EQ(WithAlgorithm({}, "easgd:tau=4")->algorithm, "easgd:tau=4");
}

TEST(DemoAlgorithmTest, TheOptimizerIsTheAlgorithmsUnlessTheUserNamesOne) {
  EXPECT_EQ(WithAlgorithm({}, "eamsgd")->optimizer, "nesterov_velocity");
  EXPECT_EQ(WithAlgorithm({}, "decentlam")->optimizer, "sgd");
  EXPECT_EQ(WithAlgorithm({}, "elastic_gossip")->optimizer, "");
  EXPECT_EQ(WithAlgorithm({.optimizer = "adamw"}, "elastic_gossip")->optimizer, "adamw");
  const std::string error =
      Complaint(WithAlgorithm({.optimizer = "adamw"}, "decentlam").status());
  EXPECT_TRUE(absl::StrContains(error, "use sgd")) << error;
}

TEST(DemoAlgorithmTest, MistakesAreFoundBeforeAnythingStarts) {
  EXPECT_TRUE(absl::StrContains(Complaint(WithAlgorithm({}, "elastic_gosip").status()),
                                "did you mean \"elastic_gossip\"?"));
  EXPECT_TRUE(absl::StrContains(Complaint(WithAlgorithm({}, "easgd:tau=x").status()), "tau=x"));
  EXPECT_TRUE(absl::StrContains(Complaint(WithAlgorithm({}, "easgd:tao=4").status()), "tau"));
}

TEST(DemoAlgorithmTest, CodecsGoWithExchangesThatReachAgreementThroughThem) {
  const DemoOptions coarse = {.request_codec = "bf16", .reply_codec = "int8"};
  EXPECT_EQ(WithAlgorithm(coarse, "elastic_gossip")->reply_codec, "int8");
  EXPECT_FALSE(WithAlgorithm(coarse, "gossiping_sgd").ok()) << "its replies carry parameters";
  EXPECT_EQ(WithAlgorithm(coarse, "none")->reply_codec, "fp32") << "nothing to write";
  EXPECT_EQ(WithAlgorithm(coarse, "allreduce_sgd")->request_codec, "fp32");
  EXPECT_TRUE(absl::StrContains(
      Complaint(WithAlgorithm({.request_codec = "bf17"}, "elastic_gossip").status()), "bf16"));
}

TEST(DemoAlgorithmTest, TheNumberOfPeersIsTheNumberOfWorkers) {
  EXPECT_TRUE(WithAlgorithm({.peers = 4}, "gossip_pga:topology=7").ok());
  const std::string error =
      Complaint(WithAlgorithm({.peers = 3}, "gossip_pga:topology=7").status());
  EXPECT_TRUE(absl::StrContains(error, "3")) << error;
}

TEST(DemoAlgorithmTest, EveryAlgorithmGoesWithTheDefaultsOfTheDemo) {
  for (const AlgorithmRow& row : AlgorithmRegistry()) {
    EXPECT_TRUE(WithAlgorithm({}, row.name).ok()) << WithAlgorithm({}, row.name).status();
  }
}

TEST(DemoAlgorithmTest, OnlyAllAndListsAreLists) {
  EXPECT_TRUE(IsList("all"));
  EXPECT_TRUE(IsList("lsgd,sgp"));
  EXPECT_FALSE(IsList("lsgd"));
  EXPECT_FALSE(IsList("elastic_gossip:p=1/8,alpha=0.5"));
}

TEST(DemoAlgorithmTest, AListGoesByTheRegistryWithOwnAmongThem) {
  EXPECT_EQ(*ComparedAlgorithms("elastic_gossip", "sgp,local_sgd"),
            (Names{"local_sgd", "elastic_gossip", "sgp"}));
  EXPECT_EQ(*ComparedAlgorithms("lsgd", "lsgd,none,lsgd"), (Names{"none", "lsgd"}));
}

TEST(DemoAlgorithmTest, OptionsInAListStayWithTheirAlgorithm) {
  EXPECT_EQ(*ComparedAlgorithms("none", "sgp,easgd:tau=4,beta=0.5,lsgd"),
            (Names{"none", "easgd:tau=4,beta=0.5", "lsgd", "sgp"}));
  EXPECT_EQ(*ComparedAlgorithms("lsgd:tau=8", "lsgd:tau=2,lsgd"),
            (Names{"lsgd:tau=8", "lsgd:tau=2", "lsgd"}));
}

TEST(DemoAlgorithmTest, AllAreEveryRowOnce) {
  const auto all = ComparedAlgorithms("elastic_gossip", "all");
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), AlgorithmRegistry().size());
  for (size_t i = 0; i < all->size(); ++i) EXPECT_EQ((*all)[i], AlgorithmRegistry()[i].name);
}

TEST(DemoAlgorithmTest, AMistakeInAListIsNamed) {
  EXPECT_TRUE(absl::StrContains(Complaint(ComparedAlgorithms("none", "lsgd,spg").status()),
                                "did you mean \"sgp\"?"));
  EXPECT_FALSE(ComparedAlgorithms("none", "lsgd,").ok());
  EXPECT_FALSE(ComparedAlgorithms("none", "lsgd:tau=0,sgp").ok());
}

}  // namespace
}  // namespace starling
