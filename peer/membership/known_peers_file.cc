#include "peer/membership/known_peers_file.h"

#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "peer/runtime/atomic_file.h"
#include "peer/runtime/host_port.h"

namespace starling {
namespace {

// Lines looked at: more is not what we wrote.
constexpr int kMostLines = 1024;

std::string PathIn(const std::string& directory) { return absl::StrCat(directory, "/peers"); }

}  // namespace

std::vector<std::string> LoadKnownPeers(const std::string& directory) {
  std::vector<std::string> peers;
  if (directory.empty()) return peers;
  std::ifstream file(PathIn(directory));
  std::string line;
  for (int read = 0; read < kMostLines && peers.size() < kMostKnownPeers; ++read) {
    if (!std::getline(file, line)) break;
    const std::string address(absl::StripAsciiWhitespace(line));
    if (ValidateDialable(address).ok()) peers.push_back(address);
  }
  return peers;
}

absl::Status SaveKnownPeers(const std::string& directory, const std::vector<std::string>& peers) {
  std::string text;
  for (size_t i = 0; i < peers.size() && i < kMostKnownPeers; ++i) {
    absl::StrAppend(&text, peers[i], "\n");
  }
  return WriteFileAtomically(PathIn(directory), text);
}

}  // namespace starling
