// Sizes of models as flags give them.

#ifndef STARLING_TESTS_BENCH_MIB_FLAG_H_
#define STARLING_TESTS_BENCH_MIB_FLAG_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace starling {

// INVALID_ARGUMENT: not all are whole numbers from 1 to 4096.
inline absl::StatusOr<std::vector<size_t>> ParseMib(const std::vector<std::string>& texts) {
  std::vector<size_t> sizes;
  for (const std::string& text : texts) {
    size_t mib;
    if (!absl::SimpleAtoi(text, &mib) || mib == 0 || mib > 4096) {
      return absl::InvalidArgumentError(
          absl::StrCat("--mib: \"", text, "\" is no size between 1 and 4096"));
    }
    sizes.push_back(mib);
  }
  return sizes;
}

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_MIB_FLAG_H_
