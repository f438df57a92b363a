#include "peer/gossip/staleness_mix.h"

#include <algorithm>
#include <cstddef>

#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

double Clamp(double staleness) { return staleness > 0 ? std::min(staleness, 1.0) : 0; }

class StalenessMix : public MixRule {
 public:
  explicit StalenessMix(double alpha) : alpha_(alpha) {}

  bool request_has_payload() const override { return true; }
  bool reply_is_difference() const override { return true; }
  bool conserves_sum() const override { return false; }
  double initiator_share(double staleness) const override {
    return alpha_ + (1 - alpha_) * Clamp(staleness);
  }
  double responder_share(double staleness) const override {
    return alpha_ * (1 - Clamp(staleness));
  }

  MixNorms Respond(absl::Span<float> own, absl::Span<const float> incoming,
                   absl::Span<float> reply, MixTerms& terms) const override {
    STARLING_CHECK(own.size() == incoming.size() && own.size() == reply.size());
    const float share = static_cast<float>(responder_share(terms.staleness));
    const double distance = RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict s = incoming.data();
      float* const __restrict d = reply.data();
      const float h2 = share;
      return SumBlockwise(own.size(), [=](size_t i) {
        d[i] = x[i] - s[i];
        x[i] -= h2 * d[i];
        return d[i] * d[i];
      });
    });
    return {distance, distance * share * share};
  }

  double Propose(absl::Span<const float> own, absl::Span<const float> incoming,
                 absl::Span<float> reply, const MixTerms&) const override {
    STARLING_CHECK(own.size() == incoming.size() && own.size() == reply.size());
    return RunKernel([&] {
      const float* const __restrict x = own.data();
      const float* const __restrict s = incoming.data();
      float* const __restrict d = reply.data();
      return SumBlockwise(own.size(), [=](size_t i) {
        d[i] = x[i] - s[i];
        return d[i] * d[i];
      });
    });
  }

  double Commit(absl::Span<float> own, absl::Span<const float>, absl::Span<const float> reply,
                const MixTerms& terms) const override {
    STARLING_CHECK(own.size() == reply.size());
    const float share = static_cast<float>(initiator_share(terms.staleness));
    return RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict d = reply.data();
      const float h1 = share;
      return SumBlockwise(own.size(), [=](size_t i) {
        x[i] += h1 * d[i];
        return d[i] * d[i];
      });
    });
  }

 private:
  const double alpha_;
};

}  // namespace

std::shared_ptr<const MixRule> MakeStalenessMix(double alpha) {
  STARLING_CHECK(alpha > 0 && alpha <= 1);
  return std::make_shared<StalenessMix>(alpha);
}

}  // namespace starling
