#include "peer/rounds/outer_optimizer.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Values = std::vector<float>;

Values Draw(size_t length, uint64_t seed) {
  Random random(seed);
  Values values;
  for (size_t i = 0; i < length; ++i) values.push_back(static_cast<float>(random.Normal()));
  return values;
}

// A trainer of one parameter or a few, with the round in its hands.
struct Trainer {
  std::unique_ptr<OuterOptimizer> outer;
  Values x;
  Values momentum;
  double rate = 0.1;
  Values own;

  OuterOptimizer::State state() {
    return {absl::MakeSpan(x), absl::MakeSpan(momentum), 0, rate};
  }
  const Values& Begin() {
    own.assign(outer->slots() * x.size(), -77);
    outer->Begin(state(), absl::MakeSpan(own));
    return own;
  }
  void Finish(const Values& mixed) { outer->Finish(state(), own, mixed); }
};

TEST(PlainOuterTest, TheDifferenceIsAddedToWhateverTheParametersAreByThen) {
  Trainer trainer{MakePlainOuter(), {1, 2}};
  EXPECT_EQ(trainer.Begin(), (Values{1, 2}));
  trainer.x = {5, 5};
  trainer.Finish({3, 1});
  EXPECT_EQ(trainer.x, (Values{7, 4}));
}

TEST(OverwriteOuterTest, HalfOfEveryStepMadeMeanwhileIsLost) {
  Trainer trainer{MakeOverwriteOuter(), {1}};
  trainer.Begin();
  trainer.x = {2};
  trainer.Finish({3});  // of own 1 and the other's 5
  EXPECT_EQ(trainer.x[0], (2 + 5) / 2.f);
}

TEST(MomentumSharingOuterTest, ParametersAndMomentumAreBothMixed) {
  Trainer trainer{MakeMomentumSharingOuter(true), {1, 2}, {10, 20}};
  EXPECT_EQ(trainer.Begin(), (Values{1, 2, 10, 20}));
  trainer.x = {2, 2};
  trainer.momentum = {11, 20};
  trainer.Finish({3, 2, 14, 16});
  EXPECT_EQ(trainer.x, (Values{4, 2}));
  EXPECT_EQ(trainer.momentum, (Values{15, 16}));
}

TEST(MomentumSharingOuterTest, WithoutMomentumOnlyTheParametersTravel) {
  Trainer trainer{MakeMomentumSharingOuter(false), {1, 2}};
  EXPECT_EQ(trainer.Begin(), (Values{1, 2}));
  trainer.Finish({3, 2});
  EXPECT_EQ(trainer.x, (Values{3, 2}));
}

TEST(SlowMomentumOuterTest, TwoRoundsByHand) {
  Trainer trainer{MakeSlowMomentumOuter(1, 0.5, 1), {4}};
  trainer.rate = 0.5;
  trainer.Begin();  // anchor 4
  trainer.Finish({3});
  EXPECT_EQ(trainer.x[0], 3);  // s = 2, anchor = 4 - 0.5 * 2
  trainer.x[0] = 2;
  EXPECT_EQ(trainer.Begin()[0], 2);
  trainer.Finish({2});
  EXPECT_EQ(trainer.x[0], 1.5f);  // s = 0.5 * 2 + 1 / 0.5 = 3, anchor = 3 - 1.5
}

TEST(SlowMomentumOuterTest, TheMomentumIsInUnitsOfTheRate) {
  Trainer trainer{MakeSlowMomentumOuter(1, 1, 1), {4}};
  trainer.rate = 0.5;
  trainer.Begin();
  trainer.Finish({3});  // s = 2
  trainer.rate = 0.25;
  trainer.Begin();
  trainer.Finish({3});  // s stays, the step is half as long
  EXPECT_EQ(trainer.x[0], 2.5f);
}

TEST(SlowMomentumOuterTest, AtRateZeroItOnlyAgrees) {
  Trainer trainer{MakeSlowMomentumOuter(1, 0.9, 1), {4}};
  trainer.rate = 0;
  trainer.Begin();
  trainer.Finish({3});
  EXPECT_EQ(trainer.x[0], 3);
}

TEST(NesterovOuterTest, TwoRoundsByHand) {
  Trainer trainer{MakeNesterovOuter(1, 0.5, 0.5, 0), {4}};
  trainer.Begin();
  trainer.Finish({2});  // D = 2, m = 2, anchor = 4 - 0.5 * (2 + 1)
  EXPECT_EQ(trainer.x[0], 2.5f);
  trainer.x[0] = 1.5f;
  trainer.Begin();
  trainer.Finish({1.5f});  // D = 1, m = 2, anchor = 2.5 - 0.5 * (1 + 1)
  EXPECT_EQ(trainer.x[0], 1.5f);
}

TEST(NesterovOuterTest, RateOneWithoutMomentumIsTheMean) {  // DI-T1
  Trainer trainer{MakeNesterovOuter(1, 1, 0, 0), {4}};
  trainer.Begin();
  trainer.x[0] = 5;
  trainer.Finish({3});
  EXPECT_EQ(trainer.x[0], 4);  // 3 and the step of 1 made meanwhile
}

TEST(NesterovOuterTest, KeepStaysPartOfTheWayFromTheAnchor) {
  Trainer trainer{MakeNesterovOuter(1, 1, 0, 0.75), {4}};
  trainer.Begin();
  trainer.Finish({2});
  EXPECT_EQ(trainer.x[0], 3.5f);
}

TEST(NoLoCoOuterTest, TwoRoundsByHand) {
  Trainer trainer{MakeNoLoCoOuter(1, 0.5, 1, 0.25), {4}};
  EXPECT_EQ(trainer.Begin(), (Values{4, 4}));
  trainer.Finish({2, 3});  // m = (3 - 2) + (2 - 4) / 4 = 0.5
  EXPECT_EQ(trainer.x[0], 4.5f);
  trainer.x[0] = 5.5f;
  EXPECT_EQ(trainer.Begin(), (Values{4.5f, 5.5f}));
  trainer.x[0] = 6.5f;
  trainer.Finish({4.5f, 5.5f});  // m = 0.25 + 1; the step of 1 made meanwhile stays
  EXPECT_EQ(trainer.x[0], 4.5f + 1.25f + 1);
}

TEST(GaslocOuterTest, TwoRoundsByHand) {
  Trainer trainer{MakeGaslocOuter(1, 0.5, 1, 0.5), {4}};
  EXPECT_EQ(trainer.Begin(), Values{4});  // y = anchor, also the y before it
  trainer.Finish({2});
  EXPECT_EQ(trainer.x[0], 2);
  trainer.x[0] = 4;
  EXPECT_EQ(trainer.Begin(), Values{3});  // half the way from 2 to 4
  trainer.x[0] = 14;
  trainer.Finish({5});  // anchor = 3 + (5 - 3) + 0.5 * (3 - 4)
  EXPECT_EQ(trainer.x[0], 4.5f + 10);
}

struct Maker {
  std::string name;
  std::function<std::unique_ptr<OuterOptimizer>(size_t)> make;
};

class EveryOuterTest : public ::testing::TestWithParam<Maker> {};

// C8
TEST_P(EveryOuterTest, AgreementIsAFixedPoint) {
  Trainer trainer{GetParam().make(20), Draw(20, 1), Draw(20, 2)};
  const Values before = trainer.x;
  for (int round = 0; round < 5; ++round) trainer.Finish(Values(trainer.Begin()));
  EXPECT_EQ(trainer.x, before);
  EXPECT_EQ(trainer.momentum, Draw(20, 2));
}

TEST_P(EveryOuterTest, ARoundThatIsBegunAndNeverEndsChangesNothing) {
  Trainer once{GetParam().make(3), Draw(3, 1), Draw(3, 2)};
  Trainer often{GetParam().make(3), Draw(3, 1), Draw(3, 2)};
  once.Begin();
  for (int i = 0; i < 5; ++i) often.Begin();
  for (Trainer* trainer : {&once, &often}) {
    trainer->x = Draw(3, 7);
    trainer->Begin();
    trainer->Finish(Draw(trainer->own.size(), 9));
  }
  EXPECT_EQ(once.x, often.x);
  EXPECT_EQ(once.momentum, often.momentum);
}

TEST_P(EveryOuterTest, FragmentsDoNotKnowOfEachOther) {
  constexpr size_t kElements = 12;
  constexpr size_t kCut = 5;
  Trainer whole{GetParam().make(kElements), Draw(kElements, 1), Draw(kElements, 2)};
  Trainer parts{GetParam().make(kElements), Draw(kElements, 1), Draw(kElements, 2)};
  auto fragment = [&](size_t offset, size_t length) {
    return OuterOptimizer::State{absl::MakeSpan(parts.x).subspan(offset, length),
                                 absl::MakeSpan(parts.momentum).subspan(offset, length), offset,
                                 parts.rate};
  };
  for (uint64_t round = 0; round < 4; ++round) {
    const size_t slots = whole.outer->slots();
    const Values mixed = Draw(slots * kElements, 100 + round);
    whole.Begin();
    whole.Finish(mixed);
    // The second half first, and both under way at once.
    const OuterOptimizer::State halves[] = {fragment(kCut, kElements - kCut), fragment(0, kCut)};
    std::vector<Values> owns;
    for (const OuterOptimizer::State& state : halves) {
      parts.outer->Begin(
          state, absl::MakeSpan(owns.emplace_back(slots * state.parameters.size())));
    }
    for (size_t half = 0; half < 2; ++half) {
      const OuterOptimizer::State& state = halves[half];
      Values part;
      for (size_t slot = 0; slot < slots; ++slot) {
        const auto from = mixed.begin() + slot * kElements + state.offset;
        part.insert(part.end(), from, from + state.parameters.size());
      }
      parts.outer->Finish(state, owns[half], part);
    }
    EXPECT_EQ(parts.x, whole.x);
    EXPECT_EQ(parts.momentum, whole.momentum);
  }
}

TEST_P(EveryOuterTest, StepsMadeMeanwhileAreKeptInFull) {
  if (GetParam().name == "overwrite") return;  // What it is there to show.
  Trainer still{GetParam().make(20), Draw(20, 1), Draw(20, 2)};
  Trainer moving{GetParam().make(20), Draw(20, 1), Draw(20, 2)};
  const Values steps = Draw(20, 3);
  const Values mixed = Draw(still.Begin().size(), 4);
  moving.Begin();
  for (size_t i = 0; i < 20; ++i) moving.x[i] += steps[i];
  still.Finish(mixed);
  moving.Finish(mixed);
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(moving.x[i], still.x[i] + steps[i], 2e-5);
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryOuterTest,
    ::testing::Values(
        Maker{"plain", [](size_t) { return MakePlainOuter(); }},
        Maker{"overwrite", [](size_t) { return MakeOverwriteOuter(); }},
        Maker{"momentum_sharing", [](size_t) { return MakeMomentumSharingOuter(true); }},
        Maker{"slow_momentum", [](size_t n) { return MakeSlowMomentumOuter(n, 0.5, 1); }},
        Maker{"nesterov", [](size_t n) { return MakeNesterovOuter(n, 0.7, 0.9, 0); }},
        Maker{"streaming", [](size_t n) { return MakeNesterovOuter(n, 0.7, 0.9, 0.5); }},
        Maker{"noloco", [](size_t n) { return MakeNoLoCoOuter(n, 0.5, 0.7, 0.7); }},
        Maker{"gasloc", [](size_t n) { return MakeGaslocOuter(n, 0.8, 1, 0.3); }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace starling
