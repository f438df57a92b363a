#include "peer/training/round_gate.h"

#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"

namespace starling {
namespace {

using Values = std::vector<float>;

RoundSpec Plain(uint64_t period, uint64_t delay = 0) {
  RoundSpec spec;
  spec.period = period;
  spec.delay = delay;
  spec.outer = [](size_t, bool) { return MakePlainOuter(); };
  return spec;
}

RoundSpec Gradients(uint64_t period = 1) {
  RoundSpec spec;
  spec.payload = RoundSpec::Payload::kGradient;
  spec.period = period;
  return spec;
}

// Remembers what it is shown.
class Witness : public OuterOptimizer {
 public:
  struct Log {
    std::vector<size_t> begun;  // offsets
    std::vector<double> rates;
    std::vector<size_t> momentum;  // lengths
  };
  explicit Witness(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  size_t slots() const override { return 2; }
  void Begin(const State& state, absl::Span<float> contribution) override {
    log_->begun.push_back(state.offset);
    log_->rates.push_back(state.rate);
    log_->momentum.push_back(state.momentum.size());
    for (float& value : contribution) value = 1;
  }
  void Finish(const State&, absl::Span<const float>, absl::Span<const float>) override {}

 private:
  const std::shared_ptr<Log> log_;
};

class RoundGateTest : public ::testing::Test {
 protected:
  RoundGate Make(std::vector<RoundSpec> specs) {
    return RoundGate(specs, parameters_.size(), false, &pool_);
  }
  RoundGate::Worker Worker() {
    RoundGate::Worker worker;
    worker.parameters = absl::MakeSpan(parameters_);
    worker.mass = mass_;
    worker.loss = 0.25;
    worker.rate = 0.5;
    return worker;
  }
  // True if the next step may be made.
  bool Pass(RoundGate& gate, uint64_t step) {
    begun_.clear();
    return gate.Pass(step, Worker(), &begun_);
  }
  bool Finish(RoundGate& gate, Values mixed, uint64_t number = 0, size_t spec = 0) {
    return gate.Finish({spec, number, BytesOf(mixed), 0.75}, Worker(), &mass_);
  }

  Values parameters_ = {1, 2, 3, 4};
  double mass_ = 1;
  BufferPool pool_{size_t{1} << 16};
  std::vector<Contribution> begun_;
};

TEST_F(RoundGateTest, WithoutRoundsEverythingPasses) {
  RoundGate gate = Make({});
  EXPECT_TRUE(gate.empty());
  for (uint64_t step = 0; step < 5; ++step) EXPECT_TRUE(Pass(gate, step));
  EXPECT_FALSE(gate.Gradient(1, parameters_, 1).has_value());
  EXPECT_FALSE(gate.divides_by_mass());
}

TEST_F(RoundGateTest, ARoundIsDueAtEveryMultipleOfItsPeriodAndHoldsUntilItHasEnded) {
  RoundGate gate = Make({Plain(3)});
  for (uint64_t step = 0; step <= 6; ++step) {
    if (step == 0 || step % 3 != 0) {
      EXPECT_TRUE(Pass(gate, step)) << step;
      EXPECT_TRUE(begun_.empty());
      continue;
    }
    EXPECT_FALSE(Pass(gate, step)) << step;
    ASSERT_EQ(begun_.size(), 1);
    EXPECT_EQ(begun_[0].step, step);
    EXPECT_EQ(begun_[0].loss, 0.25);
    EXPECT_FALSE(Pass(gate, step));
    EXPECT_TRUE(begun_.empty()) << "begun twice";
    EXPECT_TRUE(Finish(gate, {0, 0, 0, 0}));
    EXPECT_TRUE(Pass(gate, step));
    EXPECT_TRUE(begun_.empty()) << "begun twice";
  }
}

TEST_F(RoundGateTest, TheMixIsAppliedToTheParametersAsTheyAreByThen) {
  RoundGate gate = Make({Plain(1)});
  Pass(gate, 1);
  EXPECT_EQ(Values(begun_[0].values.floats().begin(), begun_[0].values.floats().end()),
            (Values{1, 2, 3, 4}));
  parameters_[0] = 10;  // mixed by somebody else meanwhile
  EXPECT_TRUE(Finish(gate, {2, 2, 2, 2}));
  EXPECT_EQ(parameters_, (Values{11, 2, 2, 2}));
}

TEST_F(RoundGateTest, ADelayLetsSoManyStepsPass) {
  RoundGate gate = Make({Plain(4, 2)});
  EXPECT_TRUE(Pass(gate, 4));
  EXPECT_EQ(begun_.size(), 1);
  EXPECT_TRUE(Pass(gate, 5));
  EXPECT_FALSE(Pass(gate, 6));
  EXPECT_TRUE(Finish(gate, {0, 0, 0, 0}));
  EXPECT_TRUE(Pass(gate, 6));
  EXPECT_TRUE(Pass(gate, 7));
}

TEST_F(RoundGateTest, ADelayBeyondThePeriodHoldsWhenTheNextRoundIsDue) {
  RoundGate gate = Make({Plain(1, 5)});
  EXPECT_TRUE(Pass(gate, 1));
  EXPECT_FALSE(Pass(gate, 2));
  EXPECT_TRUE(begun_.empty());
  EXPECT_TRUE(Finish(gate, {0, 0, 0, 0}));
  EXPECT_TRUE(Pass(gate, 2));
  EXPECT_EQ(begun_.size(), 1);  // and now it begins
}

TEST_F(RoundGateTest, BackgroundRoundsHoldNothingAndTheNextIsLeftOut) {
  RoundGate gate = Make({Plain(2, RoundSpec::kBackground)});
  EXPECT_TRUE(Pass(gate, 2));
  EXPECT_EQ(begun_.size(), 1);
  for (uint64_t step = 3; step <= 9; ++step) {
    EXPECT_TRUE(Pass(gate, step));
    EXPECT_TRUE(begun_.empty());
  }
  EXPECT_TRUE(Finish(gate, {0, 0, 0, 0}));
  EXPECT_TRUE(Pass(gate, 9));
  EXPECT_TRUE(begun_.empty());  // 8 was left out
  EXPECT_TRUE(Pass(gate, 10));
  EXPECT_EQ(begun_.size(), 1);
}

TEST_F(RoundGateTest, AMixThatNobodyAskedForOrOfAnotherLengthChangesNothing) {
  RoundGate gate = Make({Plain(2)});
  EXPECT_FALSE(Finish(gate, {9, 9, 9, 9}));
  Pass(gate, 2);
  EXPECT_FALSE(Finish(gate, {9, 9, 9}));
  EXPECT_EQ(parameters_, (Values{1, 2, 3, 4}));
  EXPECT_TRUE(Finish(gate, {9, 9, 9, 9}));
  EXPECT_FALSE(Finish(gate, {7, 7, 7, 7}));
  EXPECT_EQ(parameters_, (Values{9, 9, 9, 9}));
}

TEST_F(RoundGateTest, OnlyPushSumRoundsTouchTheMass) {
  RoundSpec push_sum = Plain(1);
  push_sum.moves_mass = true;
  RoundGate gate = Make({push_sum});
  EXPECT_TRUE(gate.divides_by_mass());
  mass_ = 0.5;
  Pass(gate, 1);
  EXPECT_EQ(begun_[0].mass, 0.5);
  Finish(gate, {0, 0, 0, 0});
  EXPECT_EQ(mass_, 0.75);
  RoundGate plain = Make({Plain(1)});
  EXPECT_FALSE(plain.divides_by_mass());
  mass_ = 1;
  Pass(plain, 1);
  Finish(plain, {0, 0, 0, 0});
  EXPECT_EQ(mass_, 1);
}

TEST_F(RoundGateTest, GradientsAreContributedWithinTheStepThatIsDue) {
  RoundGate gate = Make({Gradients(2), Plain(2)});
  const Values gradient = {5, 6, 7, 8};
  EXPECT_TRUE(gate.IsGradient(0));
  EXPECT_FALSE(gate.IsGradient(1));
  EXPECT_FALSE(gate.Gradient(1, gradient, 0.5).has_value());
  const absl::optional<Contribution> contribution = gate.Gradient(2, gradient, 0.5);
  ASSERT_TRUE(contribution.has_value());
  EXPECT_EQ(contribution->spec, 0);
  EXPECT_EQ(contribution->step, 2);
  EXPECT_EQ(contribution->loss, 0.5);
  EXPECT_EQ(contribution->mass, 1);
  EXPECT_EQ(Values(contribution->values.floats().begin(), contribution->values.floats().end()),
            gradient);
  // At the boundary after it only the parameters are due.
  EXPECT_FALSE(Pass(gate, 2));
  ASSERT_EQ(begun_.size(), 1);
  EXPECT_EQ(begun_[0].spec, 1);
}

TEST_F(RoundGateTest, TheRoundsOfOneBoundaryFollowEachOther) {
  RoundGate gate = Make({Plain(2), Plain(4)});
  EXPECT_FALSE(Pass(gate, 4));
  ASSERT_EQ(begun_.size(), 1);
  EXPECT_EQ(begun_[0].spec, 0);
  EXPECT_TRUE(Finish(gate, {8, 8, 8, 8}));
  EXPECT_FALSE(Pass(gate, 4));
  ASSERT_EQ(begun_.size(), 1);
  EXPECT_EQ(begun_[0].spec, 1);
  EXPECT_EQ(begun_[0].values.floats()[0], 8);  // what the first made of them
  EXPECT_TRUE(Finish(gate, {8, 8, 8, 8}, 0, 1));
  EXPECT_TRUE(Pass(gate, 4));
}

TEST_F(RoundGateTest, FragmentsTakeTurnsByTheNumberOfTheRound) {
  RoundSpec spec = Plain(1);
  spec.fragments = 2;
  RoundGate gate = Make({spec});
  Pass(gate, 1);
  EXPECT_EQ(begun_[0].fragment, 1);
  EXPECT_EQ(begun_[0].values.floats()[0], 3);
  EXPECT_EQ(begun_[0].values.floats().size(), 2);
  Finish(gate, {7, 8}, /*number=*/1);
  EXPECT_EQ(parameters_, (Values{1, 2, 7, 8}));
  Pass(gate, 2);
  EXPECT_EQ(begun_[0].fragment, 0);
  Finish(gate, {5, 6}, /*number=*/2);
  EXPECT_EQ(parameters_, (Values{5, 6, 7, 8}));
  // The swarm is elsewhere: its number decides, not our steps.
  Pass(gate, 3);
  Finish(gate, {0, 0}, /*number=*/40 + 1);
  Pass(gate, 4);
  EXPECT_EQ(begun_[0].fragment, 0);
}

TEST_F(RoundGateTest, TheLastFragmentMayBeShorterAndAnEmptyOneIsPassedOver) {
  parameters_ = {1, 2, 3, 4, 5};
  RoundSpec spec = Plain(1);
  spec.fragments = 4;  // 2, 2, 1 and nothing
  RoundGate gate = Make({spec});
  EXPECT_FALSE(Pass(gate, 2));
  EXPECT_EQ(begun_[0].values.floats().size(), 1);
  EXPECT_TRUE(Finish(gate, {9}, 2));
  EXPECT_EQ(parameters_, (Values{1, 2, 3, 4, 9}));
  EXPECT_TRUE(Pass(gate, 3));
  EXPECT_TRUE(begun_.empty());
  EXPECT_FALSE(Pass(gate, 4));
  EXPECT_EQ(begun_[0].fragment, 0);
}

TEST_F(RoundGateTest, OuterOptimizersAreAnchoredAtTheStartFragmentByFragment) {
  auto log = std::make_shared<Witness::Log>();
  RoundSpec spec = Plain(2);
  spec.fragments = 2;
  spec.outer = [log](size_t elements, bool) {
    EXPECT_EQ(elements, 4);
    return std::make_unique<Witness>(log);
  };
  RoundGate gate = Make({spec});
  Values momentum(4);
  RoundGate::Worker worker = Worker();
  worker.momentum = absl::MakeSpan(momentum);
  gate.Anchor(worker);
  EXPECT_EQ(log->begun, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(log->rates, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(log->momentum, (std::vector<size_t>{2, 2}));
  // Anchoring begins no round.
  EXPECT_TRUE(Pass(gate, 1));
  EXPECT_FALSE(Pass(gate, 2));
  EXPECT_EQ(begun_[0].values.floats().size(), 2 * 2);  // two slots of a fragment of two
}

}  // namespace
}  // namespace starling
