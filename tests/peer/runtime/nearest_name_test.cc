#include "peer/runtime/nearest_name.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

const std::vector<std::string>& Known() {
  static const auto* const known =
      new std::vector<std::string>{"none", "elastic_gossip", "gossiping_sgd", "mlp", "mlp_large"};
  return *known;
}

TEST(NearestNameTest, FindsTheNameBehindASlip) {
  EXPECT_EQ(NearestName("elastic_gosip", Known()), "elastic_gossip");
  EXPECT_EQ(NearestName("elastic-gossip", Known()), "elastic_gossip");
  EXPECT_EQ(NearestName("ELASTIC_GOSSIP", Known()), "elastic_gossip");
  EXPECT_EQ(NearestName("mpl", Known()), "mlp");
  EXPECT_EQ(NearestName("non", Known()), "none");
  EXPECT_EQ(NearestName("gossiping_sdg", Known()), "gossiping_sgd");
}

TEST(NearestNameTest, BeginningOfANameIsClose) {
  EXPECT_EQ(NearestName("elastic", Known()), "elastic_gossip");
  // One letter too many is as close, and "mlp" comes first.
  EXPECT_EQ(NearestName("mlp_", Known()), "mlp");
}

TEST(NearestNameTest, NothingCloseIsNothing) {
  EXPECT_EQ(NearestName("resnet50", Known()), "");
  EXPECT_EQ(NearestName("", Known()), "");
  EXPECT_EQ(NearestName("x", Known()), "");
  EXPECT_EQ(NearestName(std::string(1000000, 'm'), Known()), "");
  EXPECT_EQ(NearestName("mlp", {}), "");
}

TEST(NearestNameTest, ErrorNamesWhatWasAskedAndWhatThereIs) {
  EXPECT_EQ(UnknownNameError("model", "mlpp", {"mlp", "cnn"}),
            absl::InvalidArgumentError(
                "unknown model \"mlpp\"; did you mean \"mlp\"? Known: mlp, cnn"));
  EXPECT_EQ(UnknownNameError("model", "re\n", {"mlp", "cnn"}),
            absl::InvalidArgumentError("unknown model \"re\\n\"; known: mlp, cnn"));
}

}  // namespace
}  // namespace starling
