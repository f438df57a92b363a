#include "peer/gossip/push_mix.h"

#include <cstddef>

#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

class PushMix : public MixRule {
 public:
  bool request_has_payload() const override { return true; }
  bool reply_has_payload() const override { return false; }
  bool conserves_sum() const override { return false; }

  MixNorms Respond(absl::Span<float> own, absl::Span<const float> incoming,
                   absl::Span<float> reply, MixTerms&) const override {
    STARLING_CHECK(own.size() == incoming.size() && reply.empty());
    const double distance = RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict s = incoming.data();
      return SumBlockwise(own.size(), [=](size_t i) {
        const float difference = s[i] - x[i];
        x[i] += 0.5f * difference;
        return difference * difference;
      });
    });
    return {distance, distance / 4};
  }

  double Commit(absl::Span<float>, absl::Span<const float>, absl::Span<const float>,
                const MixTerms&) const override {
    return 0;
  }
};

}  // namespace

std::shared_ptr<const MixRule> MakePushMix() { return std::make_shared<PushMix>(); }

}  // namespace starling
