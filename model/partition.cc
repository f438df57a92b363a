#include "model/partition.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

using Parts = std::vector<std::vector<uint32_t>>;

constexpr double kMaxAlpha = 1e6;

// Deals `indices` out so that part k gets about shares[k] of them; the shares sum to 1.
void DealByShares(const std::vector<uint32_t>& indices, const std::vector<double>& shares,
                  Parts& parts) {
  const double count = static_cast<double>(indices.size());
  double share_so_far = 0;
  size_t begin = 0;
  for (size_t k = 0; k < parts.size(); ++k) {
    share_so_far += shares[k];
    size_t end = static_cast<size_t>(std::llround(share_so_far * count));
    end = k + 1 == parts.size() ? indices.size() : std::clamp(end, begin, indices.size());
    parts[k].insert(parts[k].end(), indices.begin() + static_cast<ptrdiff_t>(begin),
                    indices.begin() + static_cast<ptrdiff_t>(end));
    begin = end;
  }
}

std::vector<double> DrawDirichlet(size_t parts, double alpha, Random& random) {
  std::vector<double> shares(parts);
  for (double& share : shares) share = random.Gamma(alpha);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum > 0) {
    for (double& share : shares) share /= sum;
  } else {
    // So small an alpha that every draw underflowed: in the limit one part takes all.
    shares[random.UniformInt(parts)] = 1;
  }
  return shares;
}

Parts SplitEvenly(size_t examples, uint32_t count, Random& random) {
  std::vector<uint32_t> order(examples);
  std::iota(order.begin(), order.end(), 0u);
  random.Shuffle(order);
  Parts parts(count);
  for (size_t i = 0; i < order.size(); ++i) parts[i % count].push_back(order[i]);
  return parts;
}

Parts SplitByClass(const Dataset& data, uint32_t count, double alpha, Random& random) {
  std::vector<std::vector<uint32_t>> of_class(static_cast<size_t>(data.classes()));
  for (uint32_t i = 0; i < data.size(); ++i) {
    of_class[static_cast<size_t>(data.label(i))].push_back(i);
  }
  Parts parts(count);
  for (std::vector<uint32_t>& indices : of_class) {
    random.Shuffle(indices);
    DealByShares(indices, DrawDirichlet(count, alpha, random), parts);
  }
  for (std::vector<uint32_t>& part : parts) {
    if (!part.empty()) continue;
    auto largest = std::max_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
      return a.size() < b.size();
    });
    part.push_back(largest->back());
    largest->pop_back();
  }
  return parts;
}

}  // namespace

absl::StatusOr<std::vector<uint32_t>> PartitionOf(const Dataset& data, uint32_t parts,
                                                  uint32_t part, double dirichlet_alpha,
                                                  uint64_t seed) {
  if (parts == 0 || parts > data.size()) {
    return absl::InvalidArgumentError(absl::StrCat("data.parts is ", parts,
                                                   "; it must be from 1 to ", data.size(),
                                                   ", the number of examples"));
  }
  if (part >= parts) {
    return absl::InvalidArgumentError(
        absl::StrCat("part ", part, " of the training set does not exist; there are ", parts,
                     ", numbered from 0"));
  }
  if (!(dirichlet_alpha >= 0 && dirichlet_alpha <= kMaxAlpha)) {
    return absl::InvalidArgumentError(absl::StrCat("data.dirichlet_alpha is ", dirichlet_alpha,
                                                   "; it must be 0 (IID) or at most ", kMaxAlpha));
  }
  if (dirichlet_alpha > 0 && data.classes() == 0) {
    return absl::InvalidArgumentError(absl::StrCat("data.dirichlet_alpha is ", dirichlet_alpha,
                                                   ", but ", data.name(),
                                                   " has no classes; leave it 0"));
  }
  Random random = Random(seed).Split("partition");
  Parts all = dirichlet_alpha == 0 ? SplitEvenly(data.size(), parts, random)
                                   : SplitByClass(data, parts, dirichlet_alpha, random);
  return std::move(all[part]);
}

}  // namespace starling
