#include "peer/gossip/elastic_controller.h"

#include <algorithm>

#include "peer/runtime/check.h"

namespace starling {

void ElasticController::OnWorkers(uint64_t step, size_t workers) {
  STARLING_CHECK(workers >= 1);
  if (workers == workers_) return;
  from_ = RateScale(step);
  changed_ = step;
  workers_ = workers;
}

double ElasticController::RateScale(uint64_t step) const {
  if (options_.strategy != ElasticOptions::Strategy::kScaleRate) return 1;
  const double target = static_cast<double>(workers_) / static_cast<double>(reference_);
  const uint64_t gone = step > changed_ ? step - changed_ : 0;
  if (gone >= options_.ramp) return target;
  return from_ + (target - from_) * static_cast<double>(gone) / static_cast<double>(options_.ramp);
}

size_t ElasticController::BatchOf(size_t rank, size_t batch) const {
  STARLING_CHECK(rank < workers_);
  if (options_.strategy != ElasticOptions::Strategy::kShareBatch) return batch;
  const size_t whole = batch * reference_;
  return std::max<size_t>(1, whole / workers_ + (rank < whole % workers_ ? 1 : 0));
}

}  // namespace starling
