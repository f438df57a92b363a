// How the program writes states, amounts and measurements, the same in every table.
// Bytes are written as byte_size.h says. Stateless, any thread.

#ifndef STARLING_PEER_CLI_WORDS_H_
#define STARLING_PEER_CLI_WORDS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "peer/runtime/byte_size.h"  // IWYU pragma: export
#include "proto/run.pb.h"
#include "proto/status.pb.h"

namespace starling {

// "training", "finished", ...
std::string PhaseWord(v1::Phase phase);
// "peer", "coordinator".
std::string RoleWord(v1::Role role);
// "ALIVE", "DEAD", ...: upper case, so that a member's state is not taken for a peer's phase.
std::string StateWord(v1::PeerState state);
// "non finite", "wrong length", ...
std::string RefusalWord(v1::RefusalReason reason);

// True for members that have not departed: JOINING, ALIVE or SUSPECT.
bool IsPresent(v1::PeerState state);

// "12.3 s", "4 min 05 s", "3 h 12 min".
std::string DurationText(absl::Duration duration);
// "0.8712"; "nan" is written as it is.
std::string AccuracyText(double accuracy);
// "12.3 %" of a share of 1.
std::string ShareText(double share);
// At most four significant digits, never an exponent for everyday sizes: "0.4312", "12.3", "1520".
std::string NumberText(double value);
// "elastic_gossip:alpha=0.5,p=0.125".
std::string AlgorithmText(const v1::AlgorithmConfig& algorithm);

}  // namespace starling

#endif  // STARLING_PEER_CLI_WORDS_H_
