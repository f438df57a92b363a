#include "peer/checkpoint/checkpointer.h"

#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(60);
constexpr absl::Duration kPatience = absl::Seconds(5);

class CheckpointerTest : public ::testing::Test {
 protected:
  CheckpointerTest() {
    owner_.step = 10;
    owner_.samples = 320;
  }

  static std::string FreshDirectory() {
    std::string path =
        absl::StrCat(::testing::TempDir(), "/checkpointer-",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(path);
    return path;
  }
  CheckpointStore Store() const {
    return CheckpointStore({.directory = directory_,
                            .run = RunId(1),
                            .model = ModelFingerprint(2),
                            .layout = {{"weight", {2}}}});
  }
  // The disk does nothing until Settle.
  void Settle() {
    for (int i = 0; i < 3; ++i) {
      control_.RunPosted();
      control_.Do([&] { owner_.Boundary(); });
      disk_.RunPosted();
    }
    control_.RunPosted();
  }
  void Pass(absl::Duration time) {
    control_.Advance(time);
    Settle();
  }
  absl::StatusOr<Checkpoint> Load() {
    absl::StatusOr<Checkpoint> found = absl::UnknownError("not called back");
    control_.Do([&] {
      checkpointer_.Load([&](absl::StatusOr<Checkpoint> loaded) { found = std::move(loaded); });
    });
    Settle();
    return found;
  }
  v1::CheckpointStatus Status() {
    v1::CheckpointStatus status;
    control_.Do([&] { status = checkpointer_.Status(); });
    return status;
  }

  const std::string directory_ = FreshDirectory();
  ManualExecutor control_;
  ManualExecutor disk_;
  BufferPool pool_{1 << 20};
  FakeParameterOwner owner_{{1, 2}};
  std::vector<std::string> log_;
  Checkpointer checkpointer_{
      {.control = &control_,
       .disk = &disk_,
       .parameters = &owner_,
       .pool = &pool_,
       .wall_clock = [] { return absl::FromUnixSeconds(1'700'000'000); },
       .log = [this](const std::string& line) { log_.push_back(line); }},
      Store(),
      kEvery};
};

TEST_F(CheckpointerTest, WhatWasSavedIsFoundAgain) {
  EXPECT_EQ(Load().status().code(), absl::StatusCode::kNotFound);
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery);
  const auto found = Load();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->step, 10u);
  EXPECT_EQ(found->samples, 320u);
  EXPECT_EQ(found->values.floats(), (std::vector<float>{1, 2}));
  EXPECT_EQ(Status().saved(), 1u);
  EXPECT_EQ(Status().last_step(), 10u);
  EXPECT_EQ(Status().last_saved_unix_seconds(), 1'700'000'000);
}

TEST_F(CheckpointerTest, WithoutANewStepNothingIsWritten) {
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery);
  Pass(kEvery);
  EXPECT_EQ(Status().saved(), 1u);
  owner_.step = 11;
  Pass(kEvery);
  EXPECT_EQ(Status().saved(), 2u);
}

TEST_F(CheckpointerTest, ToBeginASecondTimeChangesNothing) {
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery / 2);
  control_.Do([&] { checkpointer_.Begin(); });
  for (int half = 0; half < 8; ++half) {
    ++owner_.step;
    Pass(kEvery / 2);
  }
  EXPECT_EQ(Status().saved(), 4u);
}

TEST_F(CheckpointerTest, ADiskThatCannotBeWrittenIsSaidOnceAndTriedAgain) {
  std::filesystem::create_directories(std::filesystem::path(directory_).parent_path());
  { std::unique_ptr<std::FILE, int (*)(std::FILE*)> in_the_way(fopen(directory_.c_str(), "w"), fclose); }
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery);
  Pass(kEvery);
  EXPECT_EQ(Status().failed(), 2u);
  EXPECT_TRUE(absl::StrContains(Status().last_error(), directory_));
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(log_[0], "training goes on"));
  std::filesystem::remove(directory_);
  Pass(kEvery);
  EXPECT_EQ(Status().saved(), 1u);
  EXPECT_EQ(Status().last_error(), "");
}

TEST_F(CheckpointerTest, ParametersThatAreNoNumbersAreNotSaved) {
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery);
  owner_.step = 20;
  owner_.values = {1, std::numeric_limits<float>::quiet_NaN()};
  Pass(kEvery);
  EXPECT_TRUE(absl::StrContains(Status().last_error(), "finite"));
  EXPECT_EQ(Load()->step, 10u);
}

TEST_F(CheckpointerTest, ABusyTrainerIsAskedAgainLater) {
  owner_.full = true;
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery);
  EXPECT_EQ(Status().saved(), 0u);
  owner_.full = false;
  Pass(kEvery);
  EXPECT_EQ(Status().saved(), 1u);
}

TEST_F(CheckpointerTest, AtTheEndTheLastStepIsSaved) {
  control_.Do([&] { checkpointer_.Begin(); });
  Pass(kEvery);
  owner_.step = 17;
  bool finished = false;
  control_.Do([&] { checkpointer_.Finish(kPatience, [&] { finished = true; }); });
  EXPECT_FALSE(finished);
  Settle();
  EXPECT_TRUE(finished);
  EXPECT_EQ(Load()->step, 17u);
  owner_.step = 18;
  Pass(kEvery);
  EXPECT_EQ(Status().saved(), 2u);
}

TEST_F(CheckpointerTest, TheEndComesAlsoWithoutATrainerThatAnswers) {
  owner_.full = true;
  bool finished = false;
  control_.Do([&] { checkpointer_.Finish(kPatience, [&] { finished = true; }); });
  Settle();
  EXPECT_TRUE(finished);
}

TEST_F(CheckpointerTest, ADiskThatHangsDoesNotHoldUpTheEnd) {
  bool finished = false;
  control_.Do([&] { checkpointer_.Finish(kPatience, [&] { finished = true; }); });
  control_.Do([&] { owner_.Boundary(); });
  control_.Advance(kPatience);
  EXPECT_TRUE(finished);
}

TEST_F(CheckpointerTest, ASaveUnderWayDelaysTheEndAndIsNotRepeated) {
  control_.Do([&] { checkpointer_.Begin(); });
  control_.Advance(kEvery);
  bool finished = false;
  control_.Do([&] { checkpointer_.Finish(kPatience, [&] { finished = true; }); });
  EXPECT_FALSE(finished);
  Settle();
  EXPECT_TRUE(finished);
  EXPECT_EQ(Status().saved(), 1u);
}

}  // namespace
}  // namespace starling
