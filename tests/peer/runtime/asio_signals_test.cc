#include "peer/runtime/asio_signals.h"

#include <unistd.h>

#include <csignal>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(AsioSignalsTest, EachSignalIsCountedAndHandedOver) {
  absl::Mutex mutex;
  std::vector<std::pair<int, int>> seen;
  AsioSignals signals([&](int signal, int times) {
    absl::MutexLock lock(&mutex);
    seen.emplace_back(signal, times);
  });
  for (const int signal : {SIGTERM, SIGINT, SIGINT}) {
    size_t before;
    {
      absl::MutexLock lock(&mutex);
      before = seen.size();
    }
    ::kill(::getpid(), signal);
    absl::MutexLock lock(&mutex);
    auto arrived = [&] { return seen.size() > before; };
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&arrived), absl::Seconds(20)));
  }
  EXPECT_EQ(seen, (std::vector<std::pair<int, int>>{{SIGTERM, 1}, {SIGINT, 2}, {SIGINT, 3}}));
}

TEST(AsioSignalsDeathTest, AfterwardsASignalEndsTheProcessAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        { AsioSignals signals([](int, int) {}); }
        ::kill(::getpid(), SIGTERM);
        ::pause();
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace starling
