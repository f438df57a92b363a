// What a simulated swarm is made of.

#ifndef STARLING_TESTS_SIM_SIMULATION_OPTIONS_H_
#define STARLING_TESTS_SIM_SIMULATION_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/membership/options.h"
#include "proto/run.pb.h"
#include "tests/sim/sim_coordinator.h"
#include "tests/sim/sim_network.h"

namespace starling {

struct SimulationOptions {
  // Of everything random. One seed, one course of events.
  uint64_t seed = 1;
  // Peers at the start; training waits for all of them. Later ones come by Join.
  int peers = 6;
  // "NAME" or "NAME:option=value,option=value", as --algorithm takes it.
  std::string algorithm = "elastic_gossip:p=0.25";

  // Parameters of the quadratic model, and in one shard: three shards by default, the last shorter.
  uint32_t dimension = 40;
  uint32_t shard_elements = 16;
  // False: gradients are off, exchanges alone move the parameters, and every peer starts from
  // parameters of its own instead of common ones.
  bool learn = true;
  double learning_rate = 0.05;
  uint32_t examples = 600;
  uint32_t batch_size = 8;
  // As v1.DataConfig: smaller makes the peers' parts more unlike each other; 0 deals evenly.
  double dirichlet_alpha = 0;
  // Steps of each peer; 0: until the end of the simulation.
  uint64_t steps = 0;

  // A step takes step_time * uniform(1 - step_jitter, 1 + step_jitter); what is asked of the trainer
  // meanwhile waits. The first `stragglers` peers are slower by straggler_factor.
  absl::Duration step_time = absl::Milliseconds(20);
  double step_jitter = 0.3;
  int stragglers = 0;
  double straggler_factor = 5;

  SimNetworkOptions network;
  // Without one, every peer is told the addresses of the first two.
  bool coordinator = true;
  SimCoordinatorOptions coordinator_options;
  // A global averaging round every so many steps; 0: none. Needs the coordinator.
  uint64_t averaging_period_steps = 0;
  absl::Duration averaging_deadline = absl::Seconds(5);
  MembershipOptions membership = MembershipOptions::Fast();
  GossipOptions gossip;

  // The checkers look this often.
  absl::Duration look_every = absl::Milliseconds(100);

  // INVALID_ARGUMENT naming the field.
  absl::Status Validate() const;
  // The run configuration of this swarm, complete and valid. Same code.
  absl::StatusOr<v1::RunConfig> RunConfig() const;
  // The longest a step can take.
  absl::Duration LongestStep() const;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIMULATION_OPTIONS_H_
