#include "peer/runtime/actor.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace starling {
namespace {

// Runs tasks when told to.
class ManualExecutor final : public Executor {
 public:
  absl::Time Now() const override { return absl::UnixEpoch(); }
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId ScheduleAt(absl::Time, Task task) override {
    tasks_.push_back(std::move(task));
    return ++last_timer_;
  }
  void Cancel(TimerId) override {}
  bool RunsHere() const override { return runs_; }

  void RunAll() {
    runs_ = true;
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
    runs_ = false;
  }

 private:
  std::deque<Task> tasks_;
  TimerId last_timer_ = 0;
  bool runs_ = false;
};

class Listener final : public Actor {
 public:
  Listener(Executor* executor, size_t capacity) : Actor(executor, capacity) {}

  void Hear(std::string word) {
    AssertHere();
    heard.push_back(std::move(word));
  }
  using Actor::Deliver;
  using Actor::ScheduleAfter;

  std::vector<std::string> heard;
};

TEST(ActorTest, ThePublicDoorIsShutWhenTheMailboxIsFull) {
  ManualExecutor executor;
  Listener actor(&executor, 2);
  EXPECT_TRUE(actor.Post([&] { actor.Hear("a"); }));
  EXPECT_TRUE(actor.Post([&] { actor.Hear("b"); }));
  EXPECT_FALSE(actor.Post([&] { actor.Hear("c"); }));
  EXPECT_EQ(actor.mailbox_depth(), 2);
  EXPECT_EQ(actor.mailbox_refused(), 1);
  executor.RunAll();
  EXPECT_EQ(actor.mailbox_depth(), 0);
  EXPECT_TRUE(actor.Post([&] { actor.Hear("d"); }));
  executor.RunAll();
  EXPECT_EQ(actor.heard, (std::vector<std::string>{"a", "b", "d"}));
}

TEST(ActorTest, WhatTheActorIsOwedAlwaysComesIn) {
  ManualExecutor executor;
  Listener actor(&executor, 1);
  EXPECT_TRUE(actor.Post([&] { actor.Hear("a"); }));
  actor.PostOwn([&] { actor.Hear("b"); });
  actor.ScheduleAfter(absl::Seconds(1), [&] { actor.Hear("c"); });
  auto answer = actor.Deliver<std::string>([&](std::string word) { actor.Hear(word); });
  answer("d");
  EXPECT_EQ(actor.mailbox_depth(), 1);
  executor.RunAll();
  EXPECT_EQ(actor.heard, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST(ActorTest, TasksThatOutliveTheActorDoNothing) {
  ManualExecutor executor;
  auto actor = std::make_unique<Listener>(&executor, 8);
  actor->Post([] { ADD_FAILURE(); });
  actor->PostOwn([] { ADD_FAILURE(); });
  actor->ScheduleAfter(absl::Seconds(1), [] { ADD_FAILURE(); });
  auto answer = actor->Deliver<int>([](int) { ADD_FAILURE(); });
  actor.reset();
  answer(1);
  executor.RunAll();
}

}  // namespace
}  // namespace starling
