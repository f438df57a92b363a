#include "peer/cli/daemon_paths.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace starling {
namespace {

bool IsProgram(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

absl::StatusOr<std::string> FindProgram(absl::string_view name, const char* variable,
                                        const std::vector<std::string>& places,
                                        absl::string_view target) {
  if (const char* named = std::getenv(variable); named != nullptr && *named != '\0') {
    if (IsProgram(named)) return std::string(named);
    return absl::UnavailableError(absl::StrCat(variable, " names ", named,
                                               ", which is not a program that can be executed"));
  }
  for (const std::string& place : places) {
    if (IsProgram(place)) return std::filesystem::path(place).lexically_normal().string();
  }
  return absl::UnavailableError(absl::StrCat(
      "cannot find the program ", name, " (looked for ", absl::StrJoin(places, ", "),
      "); build it with `bazel build ", target, "` or name it in ", variable));
}

}  // namespace

absl::StatusOr<DaemonPaths> FindDaemons(const std::string& directory) {
  DaemonPaths paths;
  absl::StatusOr<std::string> peerd =
      FindProgram("peerd", "STARLING_PEERD",
                  {absl::StrCat(directory, "/peerd"), absl::StrCat(directory, "/../peerd")},
                  "//peer:peerd");
  if (!peerd.ok()) return peerd.status();
  absl::StatusOr<std::string> coordinatord =
      FindProgram("coordinatord", "STARLING_COORDINATORD",
                  {absl::StrCat(directory, "/coordinatord"),
                   absl::StrCat(directory, "/../../coordinator/coordinatord")},
                  "//coordinator:coordinatord");
  if (!coordinatord.ok()) return coordinatord.status();
  return DaemonPaths{.peerd = *std::move(peerd), .coordinatord = *std::move(coordinatord)};
}

std::string ProgramDirectory() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : self.parent_path().string();
}

}  // namespace starling
