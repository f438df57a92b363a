#include "peer/gossip/schedule.h"

#include "peer/runtime/check.h"

namespace starling {
namespace {

class Never : public Schedule {
 public:
  bool Triggers(uint64_t, Random&) const override { return false; }
};

class PeriodicCoin : public Schedule {
 public:
  PeriodicCoin(uint64_t period, double p) : period_(period), p_(p) {}
  bool Triggers(uint64_t step, Random& random) const override {
    return step % period_ == 0 && (p_ >= 1 || random.Bernoulli(p_));
  }

 private:
  const uint64_t period_;
  const double p_;
};

}  // namespace

std::unique_ptr<Schedule> MakeNever() { return std::make_unique<Never>(); }

std::unique_ptr<Schedule> MakePeriodicCoin(uint64_t period, double p) {
  STARLING_CHECK(period > 0 && p > 0 && p <= 1);
  return std::make_unique<PeriodicCoin>(period, p);
}

}  // namespace starling
