#include "peer/cli/temp_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr size_t kLongestLogLine = 500;

}  // namespace

absl::StatusOr<TempDirectory> TempDirectory::Create(absl::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string path =
      absl::StrCat(base != nullptr && *base != '\0' ? base : "/tmp", "/", prefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot make the directory ", path, ": ", std::strerror(errno),
                     "; name a writable place with the environment variable TMPDIR"));
  }
  return TempDirectory(std::move(path));
}

TempDirectory::TempDirectory(TempDirectory&& other) noexcept
    : path_(std::exchange(other.path_, std::string())) {}

TempDirectory::~TempDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

absl::Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot make the directory ", path, ": ", error.message()));
  }
  return absl::OkStatus();
}

std::vector<std::string> LastLines(const std::string& path, int count) {
  std::ifstream file(path);
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(OneLine(line, kLongestLogLine));
    if (lines.size() > static_cast<size_t>(count)) lines.pop_front();
  }
  return {lines.begin(), lines.end()};
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace starling
