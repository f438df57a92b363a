// The figures of a benchmark for programs, beside its table for people: --json=FILE.
//
// The file holds {"benchmark": NAME, "rows": [...]} with an object for each measured case. Names end in their units;
// ratios have none.

#ifndef STARLING_TESTS_BENCH_JSON_ROWS_H_
#define STARLING_TESTS_BENCH_JSON_ROWS_H_

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace starling {

// For FlagScope: where --json is defined.
inline constexpr char kJsonRowsFlags[] = "tests/bench/json_rows.cc";

class JsonRows {
 public:
  explicit JsonRows(std::string benchmark) : benchmark_(std::move(benchmark)) {}

  void Add(nlohmann::ordered_json row) { rows_.push_back(std::move(row)); }

  // Writes all rows so far over what the file held; nothing without --json. UNAVAILABLE: it cannot be written.
  absl::Status Write() const;

 private:
  const std::string benchmark_;
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
};

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_JSON_ROWS_H_
