// What `simulate` tells people about a sweep: progress while it runs, each violation at once with the
// command that repeats it, and at the end a table of the algorithms.

#ifndef STARLING_TESTS_SIM_SWEEP_TABLE_H_
#define STARLING_TESTS_SIM_SWEEP_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/sim/sweep.h"

namespace starling {

class SweepTable {
 public:
  // `with_log`: print the peers' words after each case.
  explicit SweepTable(bool with_log);

  void Expect(size_t cases) { expected_ = cases; }
  void Add(const SweepCase& sweep_case, const SweepResult& result);
  // The table, to standard output.
  void Print() const;
  // Cases in which something was wrong.
  size_t violations() const { return violations_; }

 private:
  struct Row {
    std::string algorithm;
    size_t runs = 0;
    size_t violations = 0;
    uint64_t first_seed = 0;
    uint64_t events = 0;
  };

  const bool with_log_;
  const absl::Time began_;
  absl::Time last_progress_;
  size_t expected_ = 0;
  size_t done_ = 0;
  size_t violations_ = 0;
  absl::Duration elapsed_;
  SoakFigures figures_;
  std::vector<Row> rows_;  // in the order in which algorithms appeared
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SWEEP_TABLE_H_
