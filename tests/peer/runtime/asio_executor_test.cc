#include "peer/runtime/asio_executor.h"

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// Posts nothing more and waits until everything posted before has run.
void Drain(Executor& executor) {
  absl::Notification done;
  executor.Post([&] { done.Notify(); });
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
}

// Counts its own death.
class Witness {
 public:
  explicit Witness(std::atomic<int>* deaths) : deaths_(deaths) {}
  Witness(Witness&& other) noexcept : deaths_(std::exchange(other.deaths_, nullptr)) {}
  ~Witness() {
    if (deaths_ != nullptr) deaths_->fetch_add(1);
  }

 private:
  std::atomic<int>* deaths_;
};

TEST(AsioExecutorTest, TasksRunInTheOrderOfPosting) {
  AsioThreads threads("test", 4);
  AsioExecutor executor(threads);
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) executor.Post([&order, i] { order.push_back(i); });
  Drain(executor);
  ASSERT_EQ(order.size(), 1000);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
}

TEST(AsioExecutorTest, TasksOfOneExecutorNeverOverlap) {
  AsioThreads threads("test", 4);
  AsioExecutor executor(threads);
  int unguarded = 0;
  constexpr int kPosters = 4, kTasks = 2000;
  AsioThreads poster_threads("posters", kPosters);
  std::vector<std::unique_ptr<AsioExecutor>> posters;
  absl::Mutex mutex;
  int finished = 0;
  for (int p = 0; p < kPosters; ++p) {
    posters.push_back(std::make_unique<AsioExecutor>(poster_threads));
    posters.back()->Post([&] {
      for (int i = 0; i < kTasks; ++i) executor.Post([&] { ++unguarded; });
      absl::MutexLock lock(&mutex);
      ++finished;
    });
  }
  {
    absl::MutexLock lock(&mutex);
    auto all = [&] { return finished == kPosters; };
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&all), kPatience));
  }
  Drain(executor);
  EXPECT_EQ(unguarded, kPosters * kTasks);
}

TEST(AsioExecutorTest, PostNeverRunsTheTaskInsideTheCall) {
  AsioThreads threads("test", 1);
  AsioExecutor executor(threads);
  std::vector<int> order;
  executor.Post([&] {
    executor.Post([&] { order.push_back(2); });
    order.push_back(1);
  });
  Drain(executor);
  Drain(executor);
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(AsioExecutorTest, RunsHereKnowsItsOwnTasksFromThoseOfOthers) {
  AsioThreads threads("test", 1);
  AsioExecutor one(threads), other(threads);
  EXPECT_FALSE(one.RunsHere());
  bool here = false, there = true;
  one.Post([&] {
    here = one.RunsHere();
    there = other.RunsHere();
  });
  Drain(one);
  EXPECT_TRUE(here);
  EXPECT_FALSE(there);
}

TEST(AsioExecutorTest, TimersRunInTheOrderOfTheirTimesAndEqualTimesInThatOfScheduling) {
  AsioThreads threads("test", 2);
  AsioExecutor executor(threads);
  std::vector<int> order;
  absl::Notification last;
  const absl::Time soon = executor.Now() + absl::Milliseconds(20);
  executor.Post([&] {
    executor.ScheduleAt(soon + absl::Milliseconds(2), [&] {
      order.push_back(4);
      last.Notify();
    });
    executor.ScheduleAt(soon, [&] { order.push_back(1); });
    executor.ScheduleAt(soon + absl::Milliseconds(1), [&] { order.push_back(3); });
    executor.ScheduleAt(soon, [&] { order.push_back(2); });
    executor.ScheduleAt(soon - absl::Hours(1), [&] { order.push_back(0); });
  });
  ASSERT_TRUE(last.WaitForNotificationWithTimeout(kPatience));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(AsioExecutorTest, ATimerDoesNotRunBeforeItsTime) {
  AsioThreads threads("test", 1);
  AsioExecutor executor(threads);
  const absl::Time when = executor.Now() + absl::Milliseconds(5);
  absl::Time ran;
  absl::Notification done;
  executor.ScheduleAt(when, [&] {
    ran = executor.Now();
    done.Notify();
  });
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
  EXPECT_GE(ran, when);
}

TEST(AsioExecutorTest, AnEarlierTimerOvertakesOneThatIsAlreadyWaitedFor) {
  AsioThreads threads("test", 1);
  AsioExecutor executor(threads);
  absl::Notification done;
  executor.ScheduleAt(absl::InfiniteFuture(), [] { ADD_FAILURE(); });
  executor.ScheduleAt(executor.Now() + absl::Hours(1), [] { ADD_FAILURE(); });
  executor.ScheduleAt(executor.Now() + absl::Milliseconds(1), [&] { done.Notify(); });
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
}

TEST(AsioExecutorTest, ACancelledTimerDoesNotRunEvenWhenItsTimeHasCome) {
  AsioThreads threads("test", 1);
  AsioExecutor executor(threads);
  executor.Post([&] {
    const absl::Time past = executor.Now() - absl::Seconds(1);
    auto second = std::make_shared<TimerId>();
    executor.ScheduleAt(past, [&executor, second] { executor.Cancel(*second); });
    *second = executor.ScheduleAt(past, [] { ADD_FAILURE(); });
    const TimerId third = executor.ScheduleAt(past, [] { ADD_FAILURE(); });
    executor.Cancel(third);
  });
  Drain(executor);
  Drain(executor);
  Drain(executor);
  executor.Cancel(0);
  executor.Cancel(12345);
}

TEST(AsioExecutorTest, AnEndlessTimerDoesNotStarveTasks) {
  AsioThreads threads("test", 1);
  AsioExecutor executor(threads);
  std::atomic<bool> stop{false};
  std::function<void()> again = [&] {
    if (!stop) executor.ScheduleAt(executor.Now(), [&] { again(); });
  };
  executor.Post([&] { again(); });
  Drain(executor);
  Drain(executor);
  stop = true;
  Drain(executor);
}

TEST(AsioExecutorTest, WhatWaitsWhenTheThreadsStopIsDestroyedWithoutRunning) {
  std::atomic<int> deaths{0};
  auto threads = std::make_unique<AsioThreads>("test", 1);
  AsioExecutor executor(*threads);
  absl::Notification running, release;
  executor.Post([&] {
    running.Notify();
    release.WaitForNotification();
  });
  running.WaitForNotification();
  executor.Post([&, witness = Witness(&deaths)] { ADD_FAILURE(); });
  executor.ScheduleAt(executor.Now() + absl::Hours(1),
                      [&, witness = Witness(&deaths)] { ADD_FAILURE(); });
  std::thread joiner([&] { threads->Join(); });
  while (deaths < 2) std::this_thread::yield();
  release.Notify();
  joiner.join();
  executor.Post([&, witness = Witness(&deaths)] { ADD_FAILURE(); });
  executor.ScheduleAt(executor.Now(), [&, witness = Witness(&deaths)] { ADD_FAILURE(); });
  EXPECT_EQ(deaths, 4);
  AsioExecutor late(*threads);
  late.Post([&, witness = Witness(&deaths)] { ADD_FAILURE(); });
  EXPECT_EQ(deaths, 5);
}

TEST(AsioExecutorTest, ATaskMayPostFromItsDestructor) {
  AsioThreads threads("test", 1);
  auto executor = std::make_unique<AsioExecutor>(threads);
  struct Poster {
    Executor* executor;
    ~Poster() { executor->Post([] {}); }
  };
  executor->ScheduleAt(absl::InfiniteFuture(),
                       [poster = std::make_unique<Poster>(Poster{executor.get()})] {});
  executor->ScheduleAt(absl::InfiniteFuture(),
                       [poster = std::make_unique<Poster>(Poster{executor.get()})] {});
  executor.reset();
}

TEST(AsioExecutorTest, DestructionWaitsForTheTaskThatRuns) {
  AsioThreads threads("test", 1);
  auto executor = std::make_unique<AsioExecutor>(threads);
  absl::Notification running;
  std::atomic<bool> finished{false};
  executor->Post([&, raw = executor.get()] {
    running.Notify();
    for (int i = 0; i < 100000; ++i) raw->Now();
    finished = true;
  });
  running.WaitForNotification();
  executor.reset();
  EXPECT_TRUE(finished);
}

}  // namespace
}  // namespace starling
