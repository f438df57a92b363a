#include "peer/training/round_gate.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "peer/runtime/check.h"

namespace starling {

RoundGate::RoundGate(const std::vector<RoundSpec>& specs, size_t elements, bool has_momentum,
                     BufferPool* pool)
    : elements_(elements), pool_(pool) {
  for (const RoundSpec& spec : specs) {
    STARLING_CHECK(spec.period > 0 && spec.fragments > 0 && spec.fragments <= elements);
    Lane& lane = lanes_.emplace_back();
    lane.spec = spec;
    if (spec.payload == RoundSpec::Payload::kParameters) {
      lane.outer = spec.outer(elements, has_momentum);
    }
  }
}

bool RoundGate::divides_by_mass() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.spec.moves_mass; });
}

OuterOptimizer::State RoundGate::StateOf(const Lane& lane, const Worker& worker) const {
  OuterOptimizer::State state;
  state.parameters = worker.parameters.subspan(lane.offset, lane.length);
  if (!worker.momentum.empty()) {
    state.momentum = worker.momentum.subspan(lane.offset, lane.length);
  }
  state.offset = lane.offset;
  state.rate = worker.rate;
  return state;
}

void RoundGate::Anchor(const Worker& worker) {
  for (Lane& lane : lanes_) {
    if (lane.outer == nullptr || lane.pending) continue;
    for (uint64_t fragment = 0; fragment < lane.spec.fragments; ++fragment) {
      SetFragment(lane, fragment);
      MutableBuffer unused = pool_->Take(lane.outer->slots() * lane.length);
      lane.outer->Begin(StateOf(lane, worker), unused.floats());
    }
  }
}

void RoundGate::SetFragment(Lane& lane, uint64_t fragment) const {
  const size_t each = (elements_ + lane.spec.fragments - 1) / lane.spec.fragments;
  lane.offset = std::min(elements_, each * static_cast<size_t>(fragment));
  lane.length = std::min(each, elements_ - lane.offset);
}

Contribution RoundGate::Begin(size_t index, uint64_t step, const Worker& worker) {
  Lane& lane = lanes_[index];
  if (!lane.counted) lane.next_number = step / lane.spec.period;
  const uint64_t fragment = lane.next_number % lane.spec.fragments;
  SetFragment(lane, fragment);
  MutableBuffer buffer = pool_->Take(lane.outer->slots() * lane.length);
  lane.outer->Begin(StateOf(lane, worker), buffer.floats());
  lane.own = std::move(buffer).Freeze();
  lane.pending = true;
  lane.required_by = lane.spec.delay == RoundSpec::kBackground ? RoundSpec::kBackground
                                                               : step + lane.spec.delay;
  return Contribution{index, step, fragment, lane.own, worker.mass, worker.loss};
}

bool RoundGate::Pass(uint64_t step, const Worker& worker, std::vector<Contribution>* begun) {
  bool pass = true;
  for (size_t index = 0; index < lanes_.size(); ++index) {
    Lane& lane = lanes_[index];
    if (lane.outer == nullptr) continue;
    const bool due = step > 0 && step % lane.spec.period == 0 && lane.last_due != step;
    if (due && lane.pending && lane.spec.delay != RoundSpec::kBackground) return false;
    if (due) {
      lane.last_due = step;
      // A fragment beyond the end of a small model has nothing to contribute.
      if (!lane.pending) {
        Contribution contribution = Begin(index, step, worker);
        if (lane.length > 0) {
          begun->push_back(std::move(contribution));
        } else {
          lane.pending = false;
          ++lane.next_number;
          lane.counted = true;
        }
      }
    }
    if (lane.pending && step >= lane.required_by) pass = false;
    // The rounds of one boundary follow each other.
    if (!pass) return false;
  }
  return pass;
}

absl::optional<Contribution> RoundGate::Gradient(uint64_t step, absl::Span<const float> gradient,
                                                 double loss) {
  for (size_t index = 0; index < lanes_.size(); ++index) {
    Lane& lane = lanes_[index];
    if (!IsGradient(index) || step % lane.spec.period != 0) continue;
    MutableBuffer copy = pool_->Take(gradient.size());
    std::memcpy(copy.floats().data(), gradient.data(), copy.bytes());
    return Contribution{index, step, 0, std::move(copy).Freeze(), 1, loss};
  }
  return absl::nullopt;
}

void RoundGate::Forget() {
  for (Lane& lane : lanes_) lane.forgotten = lane.pending;
}

void RoundGate::CallOff(size_t spec) {
  Lane& lane = lanes_[spec];
  lane.pending = false;
  lane.own = SharedBytes();
}

bool RoundGate::Finish(const MixedRound& mixed, const Worker& worker, double* mass) {
  Lane& lane = lanes_[mixed.spec];
  if (!lane.pending || mixed.mixed.size() != lane.own.size()) return false;
  lane.pending = false;
  lane.next_number = mixed.number + 1;
  lane.counted = true;
  if (!std::exchange(lane.forgotten, false)) {
    lane.outer->Finish(StateOf(lane, worker), lane.own.floats(), mixed.mixed.floats());
  }
  lane.own = SharedBytes();
  if (lane.spec.moves_mass) *mass = mixed.mass;
  return true;
}

}  // namespace starling
