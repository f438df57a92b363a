// One peer of a demo, as far as is known: the process, what it says of itself, what we did to it.

#ifndef STARLING_PEER_CLI_DEMO_PEER_H_
#define STARLING_PEER_CLI_DEMO_PEER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "proto/status.pb.h"

namespace starling {

// How the swarm speaks of a member that it lost.
struct DeathReport {
  std::string state;        // "DEAD"
  std::string reason;       // as the reporter put it
  std::string reported_by;  // "coordinator" or a peer's name
};

struct DemoPeer {
  std::string name;       // "p0"
  bool newcomer = false;  // added on the way
  bool centre = false;    // holds the centre of the algorithm and does not train
  bool running = false;   // its process lives
  bool answered = false;  // it answered the last time it was asked
  bool known = false;     // it answered at least once; `status` is its last answer
  v1::Status status;
  // Its step when it was first seen training: where a newcomer joined.
  std::optional<uint64_t> first_step;

  bool killed = false;  // by us, on purpose
  std::optional<DeathReport> death;

  // It ended in good order while it trained: somebody asked it to leave.
  bool left = false;

  // It ended otherwise, and not by us: "exit code 66". Empty if it did not.
  std::string failure;
  int failure_exit_code = 0;

  bool Trains() const {
    return known &&
           (status.phase() == v1::PHASE_TRAINING || status.phase() == v1::PHASE_FINISHED);
  }
  bool Finished() const { return known && status.phase() == v1::PHASE_FINISHED; }
  // Finished, and its test accuracy is that of its last step.
  bool Evaluated() const {
    return Finished() && status.training().evaluated() &&
           status.training().evaluated_step() >= status.training().step();
  }
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_PEER_H_
