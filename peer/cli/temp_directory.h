// A directory of our own below $TMPDIR (or /tmp) that disappears with its owner.

#ifndef STARLING_PEER_CLI_TEMP_DIRECTORY_H_
#define STARLING_PEER_CLI_TEMP_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

class TempDirectory {
 public:
  // Makes $TMPDIR/<prefix>XXXXXX, readable by this user only. PERMISSION_DENIED: it cannot.
  static absl::StatusOr<TempDirectory> Create(absl::string_view prefix);

  TempDirectory(TempDirectory&& other) noexcept;
  TempDirectory& operator=(TempDirectory&&) = delete;
  ~TempDirectory();

  const std::string& path() const { return path_; }

 private:
  explicit TempDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// Makes a directory and those above it. PERMISSION_DENIED: it cannot.
absl::Status MakeDirectories(const std::string& path);

// The last `count` lines of a file, control characters replaced; empty if it cannot be read.
std::vector<std::string> LastLines(const std::string& path, int count);

// The first line of a file that was written in one piece; empty while there is none.
std::string FirstLine(const std::string& path);

}  // namespace starling

#endif  // STARLING_PEER_CLI_TEMP_DIRECTORY_H_
