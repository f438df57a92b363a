#include "peer/gossip/pull_mix.h"

#include <cstddef>
#include <cstring>

#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

class PullMix : public MixRule {
 public:
  explicit PullMix(double strength) : strength_(static_cast<float>(strength)) {}

  bool request_has_payload() const override { return false; }
  bool commit_reads_snapshot() const override { return true; }
  bool conserves_sum() const override { return false; }

  MixNorms Respond(absl::Span<float> own, absl::Span<const float>, absl::Span<float> reply,
                   MixTerms&) const override {
    STARLING_CHECK(own.size() == reply.size());
    std::memcpy(reply.data(), own.data(), own.size() * sizeof(float));
    return {};
  }

  double Commit(absl::Span<float> own, absl::Span<const float> snapshot,
                absl::Span<const float> reply, const MixTerms&) const override {
    STARLING_CHECK(own.size() == reply.size() && own.size() == snapshot.size());
    return RunKernel([&] {
      float* const __restrict x = own.data();
      const float* const __restrict s = snapshot.data();
      const float* const __restrict y = reply.data();
      const float strength = strength_;
      return SumBlockwise(own.size(), [=](size_t i) {
        const float difference = y[i] - s[i];
        x[i] += strength * difference;
        return difference * difference;
      });
    });
  }

 private:
  const float strength_;
};

}  // namespace

std::shared_ptr<const MixRule> MakePullMix(double strength) {
  STARLING_CHECK(strength > 0 && strength <= 1);
  return std::make_shared<PullMix>(strength);
}

}  // namespace starling
