#include "tests/bench/json_rows.h"

#include <fstream>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(std::string, json, "", "file for all figures as JSON; empty: none");

namespace starling {

absl::Status JsonRows::Write() const {
  const std::string path = absl::GetFlag(FLAGS_json);
  if (path.empty()) return absl::OkStatus();
  std::ofstream file(path);
  file << nlohmann::ordered_json({{"benchmark", benchmark_}, {"rows", rows_}}).dump(1) << "\n";
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("--json: cannot write ", path));
}

}  // namespace starling
