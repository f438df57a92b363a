// Peers agree through every codec: exchanges alone, no gradients, on the shipped peer.

#include <cctype>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "peer/codec/registry.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

SimulationOptions Through(absl::string_view request, absl::string_view reply) {
  SimulationOptions options;
  options.peers = 5;
  options.learn = false;
  options.algorithm = "elastic_gossip:p=1";
  // Two shards of more than one tile, the last one cut short.
  options.dimension = 5000;
  options.shard_elements = 3000;
  options.look_every = absl::Seconds(5);
  const auto codecs = MakeCodecChoice(request, reply);
  EXPECT_TRUE(codecs.ok()) << codecs.status();
  if (codecs.ok()) options.gossip.codecs = *codecs;
  return options;
}

// Root mean square of a number's distance from its mean over the peers, in parts of the mean's own.
double SpreadOf(const Simulation& simulation) {
  const std::vector<const SimPeer*> peers = simulation.living();
  const size_t dimension = peers.front()->parameters().size();
  double squares = 0;
  double sizes = 0;
  for (size_t i = 0; i < dimension; ++i) {
    double mean = 0;
    for (const SimPeer* peer : peers) mean += peer->parameters()[i];
    mean /= static_cast<double>(peers.size());
    for (const SimPeer* peer : peers) {
      const double distance = std::fabs(peer->parameters()[i] - mean);
      squares += distance * distance;
      sizes += mean * mean;
    }
  }
  return std::sqrt(squares / sizes);
}

class CodecSimulationTest : public testing::TestWithParam<std::string> {};

TEST_P(CodecSimulationTest, PeersAgreeWhenRepliesGoThroughIt) {
  auto simulation = Build(Through("fp32", GetParam()));
  // Each peer begins with its own random numbers.
  ASSERT_GT(SpreadOf(*simulation), 0.1);
  EXPECT_TRUE(simulation->RunUntil([&] { return SpreadOf(*simulation) < 1e-4; },
                                   absl::Minutes(10)))
      << SpreadOf(*simulation);
  const v1::GossipStatus status = simulation->living().front()->Status().gossip();
  EXPECT_EQ(status.reply_codec(), GetParam());
  EXPECT_EQ(status.request_codec(), "fp32");
  if (GetParam() == "fp32") {
    EXPECT_EQ(status.bytes_sent_as_fp32(), status.bytes_sent());
  } else {
    EXPECT_GT(status.bytes_sent_as_fp32(), 1.3 * status.bytes_sent());
  }
  // The checkers have watched that the sum over all peers never changed. The one who watches over
  // consensus wants the pace of exchanges that carry everything.
  ExpectNoComplaints(*simulation, {"consensus"});
}

TEST_P(CodecSimulationTest, ABadNetworkDoesNotMakeTheTwoSidesApplyDifferentNumbers) {
  SimulationOptions options = Through("fp32", GetParam());
  options.network = Faulty(0.1, 0.1);
  auto simulation = Build(options);
  simulation->RunFor(absl::Minutes(1));
  EXPECT_GT(simulation->TotalGossip().shards_committed(), 100u);
  simulation->SetNetwork(SimNetworkOptions());
  simulation->conservation().MarkUnderway();
  simulation->RunFor(absl::Minutes(1));
  simulation->conservation().ExpectOrphansCounted(*simulation);
  ExpectNoComplaints(*simulation, {"consensus"});
}

std::vector<std::string> AllCodecs() {
  std::vector<std::string> specs;
  for (const CodecRow& row : CodecRegistry()) specs.emplace_back(row.name);
  specs.insert(specs.end(), {"int8:stochastic=1", "qsgd:bits=3", "dqsgd:bits=3.25", "topk:share=0.001"});
  return specs;
}

std::string TestName(const testing::TestParamInfo<std::string>& spec) {
  std::string name = spec.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Replies, CodecSimulationTest, testing::ValuesIn(AllCodecs()), TestName);

// What a request rounds away of a parameter is all that may remain between peers.
TEST(CodecSimulationTest, PeersAgreeToThePrecisionOfTheirRequests) {
  for (const auto& [codec, precision] :
       {std::pair<std::string, double>{"bf16", 1.0 / 256}, {"fp16", 1.0 / 2048}}) {
    auto simulation = Build(Through(codec, "int8"));
    simulation->RunFor(absl::Minutes(1));
    EXPECT_LT(SpreadOf(*simulation), precision) << codec;
    // The one who watches over consensus wants it exact.
    ExpectNoComplaints(*simulation, {"consensus"});
  }
}

}  // namespace
}  // namespace starling
