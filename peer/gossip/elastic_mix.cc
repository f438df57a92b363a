#include "peer/gossip/elastic_mix.h"

#include <cstddef>

#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

class ElasticMix : public MixRule {
 public:
  explicit ElasticMix(double alpha) : alpha_(static_cast<float>(alpha)) {}

  bool request_has_payload() const override { return true; }
  bool reply_is_difference() const override { return true; }
  bool conserves_sum() const override { return true; }

  MixNorms Respond(absl::Span<float> own, absl::Span<const float> incoming,
                   absl::Span<float> reply, MixTerms&) const override {
    STARLING_CHECK(own.size() == incoming.size() && own.size() == reply.size());
    const double distance = RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict s = incoming.data();
      float* const __restrict d = reply.data();
      const float alpha = alpha_;
      return SumBlockwise(own.size(), [=](size_t i) {
        const float difference = x[i] - s[i];
        d[i] = alpha * difference;
        x[i] -= d[i];
        return difference * difference;
      });
    });
    return {distance, distance * alpha_ * alpha_};
  }

  double Propose(absl::Span<const float> own, absl::Span<const float> incoming,
                 absl::Span<float> reply, const MixTerms&) const override {
    STARLING_CHECK(own.size() == incoming.size() && own.size() == reply.size());
    return RunKernel([&] {
      const float* const __restrict x = own.data();
      const float* const __restrict s = incoming.data();
      float* const __restrict d = reply.data();
      const float alpha = alpha_;
      return SumBlockwise(own.size(), [=](size_t i) {
        const float difference = x[i] - s[i];
        d[i] = alpha * difference;
        return difference * difference;
      });
    });
  }

  double Commit(absl::Span<float> own, absl::Span<const float>, absl::Span<const float> reply,
                const MixTerms&) const override {
    STARLING_CHECK(own.size() == reply.size());
    const double delta = RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict d = reply.data();
      return SumBlockwise(own.size(), [=](size_t i) {
        x[i] += d[i];
        return d[i] * d[i];
      });
    });
    return delta / (double{alpha_} * alpha_);
  }

 private:
  const float alpha_;
};

}  // namespace

std::shared_ptr<const MixRule> MakeElasticMix(double alpha) {
  STARLING_CHECK(alpha > 0 && alpha <= 1);
  return std::make_shared<ElasticMix>(alpha);
}

}  // namespace starling
