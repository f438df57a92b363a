// Four processes that exchange a model in pairs which are drawn anew for every round, both pairs at once.

#ifndef STARLING_TESTS_BENCH_RANDOM_PAIRS_H_
#define STARLING_TESTS_BENCH_RANDOM_PAIRS_H_

#include <array>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/runtime/random.h"
#include "tests/bench/other_end.h"

namespace starling {

class RandomPairs {
 public:
  // Processes that ServeNode, of numbers 1 to 4.
  using Ends = std::array<std::unique_ptr<OtherEnd>, 4>;

  explicit RandomPairs(Ends ends) : ends_(std::move(ends)) {}

  // How long until both pairs have exchanged. INTERNAL: a process died.
  absl::StatusOr<absl::Duration> Round() {
    std::array<size_t, 4> order;
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random_.UniformInt(i + 1)]);
    bool alive = true;
    for (const size_t pair : {0, 2}) {
      const size_t partner = order[pair + 1];
      alive &= ends_[order[pair]]->Tell(absl::StrCat("=", partner + 1, " ", ends_[partner]->address(), "\n"));
    }
    const absl::Time begin = absl::Now();
    for (const size_t pair : {0, 2}) alive &= ends_[order[pair]]->Tell("?");
    for (const size_t pair : {0, 2}) {
      double seconds;
      alive &= absl::SimpleAtod(ends_[order[pair]]->ReadLine(), &seconds);
    }
    if (!alive) return absl::InternalError("a process of four died");
    return absl::Now() - begin;
  }

 private:
  const Ends ends_;
  Random random_{1};
};

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_RANDOM_PAIRS_H_
