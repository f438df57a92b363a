#include "model/model.h"

#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

// What the seam demands, and nothing that it offers.
class PlainModel final : public Model {
 public:
  std::string name() const override { return "plain"; }
  ModelFingerprint fingerprint() const override { return {}; }
  absl::Span<float> parameters() override { return absl::MakeSpan(parameters_); }
  absl::Span<const float> gradients() const override { return parameters_; }
  absl::StatusOr<double> ComputeGradients(const Batch&) override { return 0.0; }
  absl::StatusOr<Evaluation> Evaluate(const Batch&) override { return Evaluation(); }
  int threads() const override { return 1; }

 private:
  std::vector<float> parameters_ = {1, 2};
};

TEST(ModelTest, ModelWithoutCurvatureSaysSoAndWhatToDo) {
  PlainModel model;
  EXPECT_FALSE(model.has_curvature());
  std::vector<float> hessian_probe(2, 5.0f);
  const absl::Status status =
      model.ComputeGradientsAndCurvature(Batch(), {1, -1}, absl::MakeSpan(hessian_probe)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(),
            "model plain cannot compute curvature; choose an optimizer other than adahessian");
  EXPECT_TRUE(model.layers().empty());
}

}  // namespace
}  // namespace starling
