#include "peer/runtime/peer_id_file.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/atomic_file.h"

namespace starling {
namespace {

PeerId RandomPeerId() {
  std::random_device device;
  PeerId id;
  while (id.empty()) id = PeerId((uint64_t{device()} << 32) | device());
  return id;
}

}  // namespace

absl::StatusOr<PeerId> LoadOrMakePeerId(const std::string& directory) {
  if (directory.empty()) return RandomPeerId();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("state directory ", directory, ": ", error.message()));
  }
  const std::string path = absl::StrCat(directory, "/peer_id");
  if (std::filesystem::exists(path, error)) {
    std::ifstream file(path);
    std::string text;
    std::getline(file, text);
    PeerId id;
    if (!file && text.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(path, " cannot be read"));
    }
    if (!PeerId::Parse(absl::StripAsciiWhitespace(text), &id) || id.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " should hold 16 hexadecimal digits, holds \"", text.substr(0, 40),
                       "\"; delete it to get a new id"));
    }
    return id;
  }
  const PeerId id = RandomPeerId();
  if (const absl::Status status = WriteFileAtomically(path, id.ToString() + "\n"); !status.ok()) {
    return absl::FailedPreconditionError(status.message());
  }
  return id;
}

}  // namespace starling
