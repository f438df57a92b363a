// Statuses as daemons would send them, for tests.

#ifndef STARLING_TESTS_PEER_CLI_STATUS_SAMPLES_H_
#define STARLING_TESTS_PEER_CLI_STATUS_SAMPLES_H_

#include <cstdint>
#include <string>

#include "peer/cli/demo_peer.h"
#include "proto/status.pb.h"

namespace starling {

inline v1::Status TrainingAt(uint64_t step, uint64_t total) {
  v1::Status status;
  status.set_role(v1::ROLE_PEER);
  status.set_peer_id("00000000000000aa");
  status.set_run_id("00000000000000ff");
  status.set_phase(v1::PHASE_TRAINING);
  status.mutable_training()->set_step(step);
  status.mutable_training()->set_total_steps(total);
  status.mutable_training()->set_samples_per_second(3200);
  status.mutable_training()->set_loss(0.4312);
  status.mutable_gossip()->set_exchanges_committed(17);
  status.mutable_gossip()->set_exchanges_answered(19);
  status.mutable_gossip()->set_bytes_sent(2'000'000);
  status.mutable_gossip()->set_bytes_received(3'000'000);
  status.mutable_gossip()->set_consensus_distance(1.25);
  return status;
}

inline v1::Status FinishedWith(double accuracy) {
  v1::Status status = TrainingAt(100, 100);
  status.set_phase(v1::PHASE_FINISHED);
  status.mutable_training()->set_evaluated(true);
  status.mutable_training()->set_evaluated_step(100);
  status.mutable_training()->set_test_accuracy(accuracy);
  return status;
}

inline DemoPeer RunningPeer(const std::string& name, v1::Status status) {
  return {.name = name,
          .running = true,
          .answered = true,
          .known = true,
          .status = std::move(status),
          .first_step = 0};
}

}  // namespace starling

#endif  // STARLING_TESTS_PEER_CLI_STATUS_SAMPLES_H_
