#include "peer/runtime/run_config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <string>

#include "absl/strings/match.h"

namespace starling {
namespace {

v1::RunConfig Complete() { return WithDefaults({}); }

TEST(RunIdTest, DependsOnEveryFieldButTheDataDirectory) {
  const RunId id = RunIdOf(Complete());
  v1::RunConfig config = Complete();
  config.mutable_data()->set_directory("/elsewhere");
  EXPECT_EQ(RunIdOf(config), id);
  config.set_seed(2);
  EXPECT_NE(RunIdOf(config), id);
  config = Complete();
  config.set_name("other");
  EXPECT_NE(RunIdOf(config), id);
  config = Complete();
  config.mutable_algorithm()->add_options()->set_name("p");
  EXPECT_NE(RunIdOf(config), id);
}

TEST(RunIdTest, DoesNotDependOnTheOrderOfOptions) {
  v1::RunConfig one = Complete();
  v1::RunConfig two = Complete();
  ASSERT_TRUE(ParseAlgorithm("x:a=1,b=2", one.mutable_algorithm()).ok());
  ASSERT_TRUE(ParseAlgorithm("x:b=2,a=1", two.mutable_algorithm()).ok());
  EXPECT_EQ(RunIdOf(one), RunIdOf(two));
  two.mutable_algorithm()->mutable_options()->SwapElements(0, 1);
  EXPECT_EQ(RunIdOf(one), RunIdOf(two));
}

TEST(RunIdTest, IsTheSameOnEveryMachineAndInEveryVersion) {
  // A change of this number means that peers of different versions refuse each other.
  EXPECT_EQ(RunIdOf(Complete()).ToString(), "747a30fbd6a1cf50");
}

TEST(WithDefaultsTest, IsValidAndIdempotent) {
  const v1::RunConfig config = Complete();
  EXPECT_TRUE(ValidateRunConfig(config).ok()) << ValidateRunConfig(config);
  EXPECT_EQ(WithDefaults(config).SerializeAsString(), config.SerializeAsString());
  EXPECT_EQ(config.batch_size(), 32);
  EXPECT_EQ(config.data().parts(), 1);
  EXPECT_EQ(config.averaging().deadline_seconds(), 0);
}

TEST(WithDefaultsTest, PartsFollowMinPeersAndDeadlineFollowsThePeriod) {
  v1::RunConfig config;
  config.set_min_peers(4);
  config.mutable_averaging()->set_period_steps(100);
  config = WithDefaults(config);
  EXPECT_EQ(config.data().parts(), 4);
  EXPECT_EQ(config.averaging().deadline_seconds(), 10);
}

TEST(WithDefaultsTest, KeepsWhatWasGiven) {
  v1::RunConfig config;
  config.mutable_model()->set_name("cnn");
  config.mutable_data()->set_parts(3);
  config.set_batch_size(128);
  config = WithDefaults(config);
  EXPECT_EQ(config.model().name(), "cnn");
  EXPECT_EQ(config.data().parts(), 3);
  EXPECT_EQ(config.batch_size(), 128);
}

TEST(ValidateRunConfigTest, NamesFieldValueAndRange) {
  v1::RunConfig config = Complete();
  config.set_batch_size(70000);
  const absl::Status status = ValidateRunConfig(config);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(), "batch_size is 70000; it must be between 1 and 65536");
}

struct Change {
  const char* field;
  void (*apply)(v1::RunConfig*);
};

TEST(ValidateRunConfigTest, RefusesEveryValueOutOfRange) {
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Change changes[] = {
      {"name", [](v1::RunConfig* c) { c->set_name("a\nb"); }},
      {"name", [](v1::RunConfig* c) { c->set_name(std::string(200, 'x')); }},
      {"model.name", [](v1::RunConfig* c) { c->mutable_model()->clear_name(); }},
      {"model.dimension", [](v1::RunConfig* c) { c->mutable_model()->set_dimension(1u << 31); }},
      {"data.parts", [](v1::RunConfig* c) { c->mutable_data()->set_parts(0); }},
      {"data.parts", [](v1::RunConfig* c) { c->mutable_data()->set_parts(65537); }},
      {"data.dirichlet_alpha",
       [](v1::RunConfig* c) { c->mutable_data()->set_dirichlet_alpha(-1); }},
      {"data.dirichlet_alpha",
       [](v1::RunConfig* c) { c->mutable_data()->set_dirichlet_alpha(kNan); }},
      {"optimizer.learning_rate",
       [](v1::RunConfig* c) { c->mutable_optimizer()->set_learning_rate(-0.1); }},
      {"optimizer.learning_rate",
       [](v1::RunConfig* c) { c->mutable_optimizer()->set_learning_rate(kInfinity); }},
      {"optimizer.momentum", [](v1::RunConfig* c) { c->mutable_optimizer()->set_momentum(1); }},
      {"optimizer.beta2", [](v1::RunConfig* c) { c->mutable_optimizer()->set_beta2(kNan); }},
      {"algorithm option \"p\"",
       [](v1::RunConfig* c) {
         v1::AlgorithmOption* option = c->mutable_algorithm()->add_options();
         option->set_name("p");
         option->set_value(kNan);
       }},
      {"algorithm option \"p\"",
       [](v1::RunConfig* c) {
         c->mutable_algorithm()->add_options()->set_name("p");
         c->mutable_algorithm()->add_options()->set_name("p");
       }},
      {"averaging.deadline_seconds",
       [](v1::RunConfig* c) { c->mutable_averaging()->set_period_steps(1); }},
      {"seed", [](v1::RunConfig* c) { c->set_seed(0); }},
      {"epochs", [](v1::RunConfig* c) { c->set_epochs(kNan); }},
      {"epochs", [](v1::RunConfig* c) { c->set_epochs(-1); }},
      {"batch_size", [](v1::RunConfig* c) { c->set_batch_size(0); }},
      {"min_peers", [](v1::RunConfig* c) { c->set_min_peers(0); }},
      {"shard_elements", [](v1::RunConfig* c) { c->set_shard_elements(1023); }},
      {"shard_elements", [](v1::RunConfig* c) { c->set_shard_elements(4194305); }},
      {"epoch", [](v1::RunConfig* c) { c->set_epoch(0); }},
  };
  for (const Change& change : changes) {
    v1::RunConfig config = Complete();
    change.apply(&config);
    const absl::Status status = ValidateRunConfig(config);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << change.field;
    EXPECT_TRUE(absl::StartsWith(status.message(), change.field)) << status;
  }
}

TEST(ValidateRunConfigTest, ShowsNumbersInFull) {
  v1::RunConfig config = Complete();
  config.set_batch_size(99999999);
  EXPECT_TRUE(absl::StartsWith(ValidateRunConfig(config).message(), "batch_size is 99999999;"));
}

TEST(ParseAlgorithmTest, ReadsNamesDecimalsAndFractions) {
  v1::AlgorithmConfig algorithm;
  ASSERT_TRUE(ParseAlgorithm("none", &algorithm).ok());
  EXPECT_EQ(algorithm.name(), "none");
  EXPECT_EQ(algorithm.options_size(), 0);
  ASSERT_TRUE(ParseAlgorithm("elastic_gossip:p=1/8,alpha=0.5", &algorithm).ok());
  EXPECT_EQ(algorithm.name(), "elastic_gossip");
  ASSERT_EQ(algorithm.options_size(), 2);
  EXPECT_EQ(algorithm.options(0).name(), "alpha");
  EXPECT_EQ(algorithm.options(0).value(), 0.5);
  EXPECT_EQ(algorithm.options(1).value(), 0.125);
}

TEST(ParseAlgorithmTest, RefusesNonsenseAndChangesNothing) {
  for (const char* text : {"", ":p=1", "x:", "x:p", "x:p=", "x:=1", "x:p=a", "x:p=1/0", "x:p=1/2/3",
                           "x:p=nan", "x:p=1,,q=2", "x:p=1e999"}) {
    v1::AlgorithmConfig algorithm;
    algorithm.set_name("before");
    EXPECT_TRUE(absl::IsInvalidArgument(ParseAlgorithm(text, &algorithm))) << text;
    EXPECT_EQ(algorithm.name(), "before");
  }
}

class LoadRunConfigTest : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = testing::TempDir() + "/run.textproto";
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(LoadRunConfigTest, ReadsTextFormat) {
  const auto config = LoadRunConfig(Write("# four peers\nmin_peers: 4\nmodel { name: 'cnn' }\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->min_peers(), 4);
  EXPECT_EQ(config->model().name(), "cnn");
  EXPECT_EQ(config->batch_size(), 0) << "nothing is completed here";
}

TEST_F(LoadRunConfigTest, EmptyFileIsAnEmptyConfiguration) {
  EXPECT_TRUE(LoadRunConfig(Write("")).ok());
}

TEST_F(LoadRunConfigTest, ErrorsNameFileLineAndColumn) {
  const std::string path = Write("min_peers: 4\n  batchsize: 3\n");
  const absl::Status status = LoadRunConfig(path).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(absl::StartsWith(status.message(), path + ":2:")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "batchsize")) << status;
}

TEST_F(LoadRunConfigTest, GarbageIsRefused) {
  for (const std::string& text : {std::string("\x7f\x45LF\0\0\1", 7), std::string("min_peers: -1"),
                                 std::string("seed: 'x'"), std::string("{")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(LoadRunConfig(Write(text)).status())) << text;
  }
}

TEST_F(LoadRunConfigTest, AbsentAndUnreadableFilesAreTold) {
  EXPECT_TRUE(absl::IsNotFound(LoadRunConfig("/no/such/file").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(LoadRunConfig(testing::TempDir()).status()))
      << "a directory";
}

}  // namespace
}  // namespace starling
