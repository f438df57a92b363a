// Peers that send bad data, knowingly or not, and peers whose own numbers end: nothing of it spreads.

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "model/quadratic_model.h"
#include "peer/codec/bits.h"
#include "peer/codec/codec.h"
#include "peer/peer.h"
#include "tests/sim/simulation_testing.h"

namespace starling {
namespace {

constexpr int kLiar = 2;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// fp32 to everybody, but not what it was given.
class LyingCodec final : public Codec {
 public:
  explicit LyingCodec(float factor)
      : Codec("fp32", v1::CODEC_FP32, {.bytes_per_element = sizeof(float)}), factor_(factor) {}

  size_t MaxTileBytes(size_t elements) const override { return elements * sizeof(float); }
  size_t EncodeTile(absl::Span<const float> values, const TileTerms&, char* out) const override {
    for (size_t i = 0; i < values.size(); ++i) {
      Store(out + i * sizeof(float), factor_ * values[i]);
    }
    return values.size() * sizeof(float);
  }
  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes, absl::Span<float> values) const override {
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = Load<float>(bytes.data() + i * sizeof(float));
    }
    return values.size() * sizeof(float);
  }
  CodecError ErrorBound(absl::Span<const float>) const override { return {}; }

 private:
  const float factor_;
};

SimulationOptions Swarm(uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.learning_rate = 0.02;
  options.check = false;  // what liars take and give is in nobody's books
  return options;
}

SimulationOptions SwarmWithLiar(uint64_t seed, float factor) {
  SimulationOptions options = Swarm(seed);
  const auto codec = std::make_shared<LyingCodec>(factor);
  options.adjust_peer = [codec](int node, PeerOptions& peer) {
    if (node == kLiar) peer.gossip.codecs.request = codec;
  };
  return options;
}

// sqrt of the mean over the others of |x - optimum|^2.
double DistanceOfTheOthers(const Simulation& simulation, int left_out) {
  const std::vector<double> optimum =
      QuadraticModel::Optimum(*simulation.workload().train, simulation.options().dimension);
  double sum = 0;
  int count = 0;
  for (const SimPeer* peer : simulation.living()) {
    if (peer->spec().node == left_out) continue;
    ++count;
    for (size_t i = 0; i < optimum.size(); ++i) {
      const double apart = peer->parameters()[i] - optimum[i];
      sum += apart * apart;
    }
  }
  return std::sqrt(sum / count);
}

// What an honest swarm of that seed comes to in the same time.
double UndisturbedDistance(uint64_t seed, absl::Duration time) {
  auto simulation = Build(Swarm(seed));
  simulation->RunFor(time);
  return DistanceOfTheOthers(*simulation, kLiar);
}

v1::PeerStatus RowOf(const Simulation& simulation, int observer, int node) {
  const v1::Status& status = simulation.peer(observer).Status();
  for (const v1::PeerStatus& row : status.peers()) {
    if (row.peer_id() == simulation.nodes()[static_cast<size_t>(node)].id.ToString()) return row;
  }
  return {};
}

class BadDataTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  void ExpectQuarantinedByAll(const Simulation& simulation, absl::string_view reason) {
    for (int node = 0; node < simulation.options().peers; ++node) {
      if (node == kLiar) continue;
      const v1::PeerStatus row = RowOf(simulation, node, kLiar);
      EXPECT_EQ(row.state(), v1::PEER_STATE_QUARANTINED) << "peer " << node;
      EXPECT_TRUE(absl::StrContains(row.reason(), reason)) << row.reason();
      EXPECT_GT(row.quarantined_seconds_left(), 0);
      const v1::GossipStatus& gossip = simulation.peer(node).Status().gossip();
      EXPECT_EQ(gossip.quarantines(), 1u) << "peer " << node;
      EXPECT_EQ(gossip.offences(), 3u) << "peer " << node;
    }
  }
};

TEST_P(BadDataTest, WhoSendsNaNIsQuarantinedByEverybodyAndTheOthersConverge) {
  auto simulation = Build(SwarmWithLiar(GetParam(), kNan));
  const absl::Duration time = absl::Seconds(60);
  simulation->RunFor(time);
  ExpectQuarantinedByAll(*simulation, "NaN");
  EXPECT_LT(DistanceOfTheOthers(*simulation, kLiar), 1.5 * UndisturbedDistance(GetParam(), time));
}

TEST_P(BadDataTest, WhoSendsHugeNumbersIsQuarantinedByEverybodyAndTheOthersConverge) {
  auto simulation = Build(SwarmWithLiar(GetParam(), 1e6f));
  const absl::Duration time = absl::Seconds(60);
  simulation->RunFor(time);
  ExpectQuarantinedByAll(*simulation, "out of scale");
  EXPECT_LT(DistanceOfTheOthers(*simulation, kLiar), 1.5 * UndisturbedDistance(GetParam(), time));
}

TEST_P(BadDataTest, AfterItsTimeAQuarantinedPeerIsForgivenAndThenQuarantinedForTwiceAsLong) {
  auto simulation = Build(SwarmWithLiar(GetParam(), 1e6f));
  const auto quarantines = [&] { return simulation->peer(0).Status().gossip().quarantines(); };
  EXPECT_TRUE(simulation->RunUntil([&] { return quarantines() == 1; }, absl::Minutes(1)));
  EXPECT_TRUE(simulation->RunUntil(
      [&] { return RowOf(*simulation, 0, kLiar).state() == v1::PEER_STATE_ALIVE; }, absl::Minutes(3)));
  EXPECT_TRUE(simulation->RunUntil([&] { return quarantines() == 2; }, absl::Minutes(1)));
  EXPECT_GT(RowOf(*simulation, 0, kLiar).quarantined_seconds_left(), 200);
}

// What is not caught, so that nobody believes it is: the norm of a sign flip is that of an honest
// contribution. The swarm stays finite and is drawn towards zero.
TEST_P(BadDataTest, ASignFlipIsNotCaughtAndDoesHarmThatStaysBounded) {
  auto simulation = Build(SwarmWithLiar(GetParam(), -1));
  const absl::Duration time = absl::Seconds(60);
  simulation->RunFor(time);
  EXPECT_EQ(RowOf(*simulation, 0, kLiar).state(), v1::PEER_STATE_ALIVE);
  EXPECT_EQ(simulation->TotalGossip().offences(), 0u);
  const double distance = DistanceOfTheOthers(*simulation, kLiar);
  const double undisturbed = UndisturbedDistance(GetParam(), time);
  RecordProperty("sign_flip", absl::StrCat(distance, " instead of ", undisturbed));
  std::printf("sign flip by one of six, seed %d: %.3f from the optimum instead of %.3f\n",
              static_cast<int>(GetParam()), distance, undisturbed);
  EXPECT_TRUE(std::isfinite(distance));
}

// A quadratic whose gradient is NaN at chosen calls of one process.
class AilingModel final : public Model {
 public:
  AilingModel(std::unique_ptr<Model> model, std::set<int> ill, int ill_from)
      : model_(std::move(model)), ill_(std::move(ill)), ill_from_(ill_from) {}

  std::string name() const override { return model_->name(); }
  ModelFingerprint fingerprint() const override { return model_->fingerprint(); }
  absl::Span<float> parameters() override { return model_->parameters(); }
  absl::Span<const float> gradients() const override {
    return bad_ ? absl::Span<const float>(gradients_) : model_->gradients();
  }
  absl::StatusOr<double> ComputeGradients(const Batch& batch) override {
    absl::StatusOr<double> loss = model_->ComputeGradients(batch);
    ++calls_;
    bad_ = ill_.count(calls_) > 0 || calls_ >= ill_from_;
    gradients_.assign(model_->parameters().size(), kNan);
    return loss;
  }
  std::vector<LayerSpan> layers() const override { return model_->layers(); }
  absl::StatusOr<Evaluation> Evaluate(const Batch& batch) override { return model_->Evaluate(batch); }
  int threads() const override { return 1; }

 private:
  const std::unique_ptr<Model> model_;
  const std::set<int> ill_;
  const int ill_from_;
  int calls_ = 0;
  bool bad_ = false;
  std::vector<float> gradients_;
};

constexpr int kNever = std::numeric_limits<int>::max();

// The model of process kLiar is ill at those calls.
SimulationOptions SwarmWithAilingPeer(uint64_t seed, std::set<int> ill, int ill_from) {
  SimulationOptions options;
  options.seed = seed;
  options.learning_rate = 0.02;
  const uint32_t dimension = options.dimension;
  const auto plain = [dimension](uint64_t model_seed) {
    return std::make_unique<QuadraticModel>(dimension, dimension, model_seed);
  };
  options.make_evaluation_model = plain;
  // One made to know its size, then one a process.
  auto made = std::make_shared<int>(-1);
  options.make_model = [=](uint64_t model_seed) -> std::unique_ptr<Model> {
    if ((*made)++ != kLiar) return plain(model_seed);
    return std::make_unique<AilingModel>(plain(model_seed), ill, ill_from);
  };
  return options;
}

TEST_P(BadDataTest, OwnNaNGoesBackAndOnAndNobodyElseNotices) {
  auto simulation = Build(SwarmWithAilingPeer(GetParam(), {300}, kNever));
  AwaitTraining(*simulation);
  simulation->RunFor(absl::Seconds(40));
  const v1::RecoveryStatus& recovery = simulation->peer(kLiar).Status().recovery();
  EXPECT_EQ(recovery.rollbacks(), 1u);
  EXPECT_EQ(recovery.in_a_row(), 1u);
  EXPECT_NEAR(static_cast<double>(recovery.last_step()), 300, 5);
  EXPECT_TRUE(absl::StrContains(recovery.last_reason(), "finite") ||
              absl::StrContains(recovery.last_reason(), "nan"))
      << recovery.last_reason();
  EXPECT_DOUBLE_EQ(recovery.rate_scale(), 0.5);
  EXPECT_EQ(simulation->peer(kLiar).phase(), v1::PHASE_TRAINING);
  EXPECT_GT(simulation->peer(kLiar).Status().training().step(), 1000u);
  EXPECT_EQ(simulation->TotalGossip().offences(), 0u);
  for (const SimPeer* peer : simulation->living()) {
    for (const v1::RefusalCount& refused : peer->Status().gossip().refused()) {
      EXPECT_NE(refused.reason(), v1::REFUSAL_REASON_NON_FINITE);
    }
  }
  ExpectEverybodyTrains(*simulation);
  ExpectNoComplaints(*simulation, {"finite: "});
}

TEST_P(BadDataTest, OwnNaNNowAndThenWithProgressInBetweenEndsNobody) {
  auto simulation = Build(SwarmWithAilingPeer(GetParam(), {200, 500, 800, 1100, 1400, 1700}, kNever));
  simulation->RunFor(absl::Seconds(60));
  EXPECT_EQ(simulation->peer(kLiar).Status().recovery().rollbacks(), 6u);
  ExpectEverybodyTrains(*simulation);
  ExpectNoComplaints(*simulation, {"finite: "});
}

TEST_P(BadDataTest, WhoDivergesAgainAndAgainGivesUpAndTheOthersGoOn) {
  auto simulation = Build(SwarmWithAilingPeer(GetParam(), {}, 300));
  simulation->RunFor(absl::Seconds(60));
  const absl::Status& ended = simulation->nodes()[kLiar].ended;
  EXPECT_TRUE(absl::IsInternal(ended)) << ended;
  EXPECT_TRUE(absl::StrContains(ended.message(), "after going back 3 times in a row")) << ended;
  EXPECT_TRUE(absl::StrContains(ended.message(), "--learning_rate")) << ended;
  EXPECT_EQ(simulation->TotalGossip().offences(), 0u);
  ExpectEverybodyTrains(*simulation);
  ExpectNoComplaints(*simulation, {"life: peer 2 ", "finite: "});
}

TEST_P(BadDataTest, WhoHasNeitherCheckpointNorCompanyEndsAtOnce) {
  SimulationOptions options = SwarmWithAilingPeer(GetParam(), {}, kNever);
  options.peers = 1;
  auto simulation = Build(options);
  simulation->RunFor(absl::Seconds(10));
  simulation->Poison(0, kNan);
  simulation->RunFor(absl::Seconds(30));
  EXPECT_TRUE(absl::IsInternal(simulation->nodes()[0].ended)) << simulation->nodes()[0].ended;
  EXPECT_TRUE(absl::StrContains(simulation->nodes()[0].ended.message(), "--state_dir"))
      << simulation->nodes()[0].ended;
}

TEST_P(BadDataTest, OwnNaNInASwarmOfRoundsCopiesAnotherPeer) {
  for (const char* algorithm : {"allreduce_sgd", "local_sgd", "dpsgd"}) {
    SimulationOptions options = SwarmWithAilingPeer(GetParam(), {200}, kNever);
    options.algorithm = algorithm;
    auto simulation = Build(options);
    simulation->RunFor(absl::Seconds(60));
    EXPECT_EQ(simulation->peer(kLiar).Status().recovery().rollbacks(), 1u) << algorithm;
    ExpectEverybodyTrains(*simulation, absl::Seconds(10));
    ExpectNoComplaints(*simulation, {"finite: "});
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, BadDataTest, ::testing::ValuesIn(kSeeds));

}  // namespace
}  // namespace starling
