// Addresses of peers that were there a moment ago, kept across restarts: whoever starts again finds its
// swarm through them, also if the seed that it was first given is gone.

#ifndef STARLING_PEER_MEMBERSHIP_KNOWN_PEERS_FILE_H_
#define STARLING_PEER_MEMBERSHIP_KNOWN_PEERS_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace starling {

// Addresses kept and read. One that answers is enough; the others are for when it does not.
inline constexpr size_t kMostKnownPeers = 32;

// One host:port a line in `directory`/peers. Lines that are no address are skipped; no file, or an empty
// `directory`, is an empty list: what is kept here only helps.
std::vector<std::string> LoadKnownPeers(const std::string& directory);

// Replaces the file, durably. UNKNOWN: it cannot be written; the old one is then untouched.
absl::Status SaveKnownPeers(const std::string& directory, const std::vector<std::string>& peers);

}  // namespace starling

#endif  // STARLING_PEER_MEMBERSHIP_KNOWN_PEERS_FILE_H_
