// For what happens in other processes and threads and is announced by nothing: looks again and again. What can be waited
// for is waited for.

#ifndef STARLING_TESTS_COMMON_EVENTUALLY_H_
#define STARLING_TESTS_COMMON_EVENTUALLY_H_

#include "absl/functional/function_ref.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace starling {

// True as soon as `condition` holds; false if it does not within `patience`, which is a bound and no expectation.
inline bool Eventually(absl::FunctionRef<bool()> condition,
                       absl::Duration patience = absl::Seconds(50)) {
  const absl::Time end = absl::Now() + patience;
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

}  // namespace starling

#endif  // STARLING_TESTS_COMMON_EVENTUALLY_H_
