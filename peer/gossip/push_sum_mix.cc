#include "peer/gossip/push_sum_mix.h"

#include <cmath>
#include <cstddef>

#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

class PushSumMix : public MixRule {
 public:
  bool request_has_payload() const override { return true; }
  bool reply_has_payload() const override { return false; }
  bool conserves_sum() const override { return false; }
  bool moves_mass() const override { return true; }

  MixNorms Respond(absl::Span<float> own, absl::Span<const float> incoming,
                   absl::Span<float> reply, MixTerms& terms) const override {
    STARLING_CHECK(own.size() == incoming.size() && reply.empty());
    const bool counts = terms.incoming_mass > 0 && std::isfinite(terms.incoming_mass);
    const float fraction = counts ? FractionOf(terms) : 0;
    if (counts) terms.own_mass += terms.incoming_mass;
    const double distance = RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict s = incoming.data();
      const float share = fraction;
      return SumBlockwise(own.size(), [=](size_t i) {
        const float difference = s[i] - x[i];
        x[i] += share * difference;
        return difference * difference;
      });
    });
    return {distance, distance * fraction * fraction};
  }

  double Commit(absl::Span<float>, absl::Span<const float>, absl::Span<const float>,
                const MixTerms&) const override {
    return 0;
  }

 private:
  static float FractionOf(const MixTerms& terms) {
    STARLING_CHECK(terms.own_mass >= 0);
    return static_cast<float>(terms.incoming_mass / (terms.own_mass + terms.incoming_mass));
  }
};

}  // namespace

std::shared_ptr<const MixRule> MakePushSumMix() { return std::make_shared<PushSumMix>(); }

}  // namespace starling
