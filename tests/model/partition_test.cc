#include "model/partition.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "model/synthetic_dataset.h"

namespace starling {
namespace {

SyntheticDataset Data(size_t examples) {
  return SyntheticDataset({.examples = examples, .shape = {1}});
}

std::vector<std::vector<uint32_t>> Split(const Dataset& data, uint32_t parts, double alpha,
                                         uint64_t seed) {
  std::vector<std::vector<uint32_t>> all;
  for (uint32_t part = 0; part < parts; ++part) {
    absl::StatusOr<std::vector<uint32_t>> indices = PartitionOf(data, parts, part, alpha, seed);
    EXPECT_TRUE(indices.ok()) << indices.status();
    all.push_back(indices.ok() ? *indices : std::vector<uint32_t>());
  }
  return all;
}

// Mean over the parts of the share that its most frequent class has: 0.1 if even, 1 if pure.
double Skew(const Dataset& data, const std::vector<std::vector<uint32_t>>& parts) {
  double sum = 0;
  for (const std::vector<uint32_t>& part : parts) {
    std::vector<double> count(static_cast<size_t>(data.classes()));
    for (uint32_t index : part) ++count[static_cast<size_t>(data.label(index))];
    sum += *std::max_element(count.begin(), count.end()) / static_cast<double>(part.size());
  }
  return sum / static_cast<double>(parts.size());
}

TEST(PartitionTest, EveryIndexIsInExactlyOnePartAndNoPartIsEmpty) {
  const SyntheticDataset data = Data(103);
  for (double alpha : {0.0, 1e-9, 0.01, 0.3, 1.0, 100.0, 1e6}) {
    for (uint32_t parts : {1u, 2u, 7u, 103u}) {
      for (uint64_t seed : {1u, 2u, 3u}) {
        std::vector<int> seen(data.size());
        for (const std::vector<uint32_t>& part : Split(data, parts, alpha, seed)) {
          EXPECT_FALSE(part.empty()) << alpha << " " << parts << " " << seed;
          for (uint32_t index : part) ++seen.at(index);
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 103) << alpha << " " << parts;
      }
    }
  }
}

TEST(PartitionTest, IidPartsDifferInSizeByAtMostOne) {
  const SyntheticDataset data = Data(1003);
  size_t smallest = data.size();
  size_t largest = 0;
  for (const std::vector<uint32_t>& part : Split(data, 4, 0, 1)) {
    smallest = std::min(smallest, part.size());
    largest = std::max(largest, part.size());
  }
  EXPECT_EQ(smallest, 250u);
  EXPECT_EQ(largest, 251u);
}

TEST(PartitionTest, SameSeedGivesTheSameSplitAndAnotherSeedAnother) {
  const SyntheticDataset data = Data(1000);
  for (double alpha : {0.0, 0.3}) {
    EXPECT_EQ(Split(data, 4, alpha, 5), Split(data, 4, alpha, 5));
    EXPECT_NE(Split(data, 4, alpha, 5), Split(data, 4, alpha, 6));
  }
}

TEST(PartitionTest, SmallerAlphaIsMoreUnequal) {
  const SyntheticDataset data = Data(10000);
  const double even = Skew(data, Split(data, 4, 0, 1));
  const double mild = Skew(data, Split(data, 4, 100, 1));
  const double strong = Skew(data, Split(data, 4, 0.1, 1));
  EXPECT_LT(even, 0.15);
  EXPECT_LT(mild, 0.2);
  EXPECT_GT(strong, 0.3);
}

TEST(PartitionTest, BadArgumentsAreNamed) {
  const SyntheticDataset data = Data(10);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const absl::Status& status :
       {PartitionOf(data, 0, 0, 0, 1).status(), PartitionOf(data, 11, 0, 0, 1).status(),
        PartitionOf(data, 2, 2, 0, 1).status(), PartitionOf(data, 2, 0, -0.1, 1).status(),
        PartitionOf(data, 2, 0, nan, 1).status(), PartitionOf(data, 2, 0, inf, 1).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  }
}

}  // namespace
}  // namespace starling
