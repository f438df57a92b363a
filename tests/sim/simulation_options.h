// What a simulated swarm is made of.

#ifndef STARLING_TESTS_SIM_SIMULATION_OPTIONS_H_
#define STARLING_TESTS_SIM_SIMULATION_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/dataset.h"
#include "model/model.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/membership/options.h"
#include "peer/rounds/rounds_actor.h"
#include "proto/run.pb.h"
#include "tests/sim/sim_coordinator.h"
#include "tests/sim/sim_network.h"

namespace starling {

struct PeerOptions;

// A new model with the initial parameters of that seed.
using ModelFactory = std::function<std::unique_ptr<Model>(uint64_t seed)>;

struct SimulationOptions {
  // Of everything random. One seed, one course of events.
  uint64_t seed = 1;
  // Workers at the start; training waits for all of them. Later ones come by Join. For an algorithm that
  // needs a centre there is one node more, of number `peers`, which holds it.
  int peers = 6;
  // "NAME" or "NAME:option=value,option=value", as --algorithm takes it.
  std::string algorithm = "elastic_gossip:p=0.25";

  // Parameters of the quadratic model, and in one shard: three shards by default, the last shorter.
  uint32_t dimension = 40;
  uint32_t shard_elements = 16;
  // Another model than the quadratic one, one for each process; the seed is the same for all peers if
  // they start equal. `dimension` is then not read. Its name goes into the run configuration.
  ModelFactory make_model;
  // The model that evaluates; null: from make_model too.
  ModelFactory make_evaluation_model;
  std::string model_name = "quadratic";
  // Null: made-up examples.
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;

  // False: gradients are off, and exchanges alone move the parameters.
  bool learn = true;
  // Whether all peers start from the same parameters or each from its own: by default those that
  // learn start equal, those that only mix do not.
  enum class Start { kByLearn, kEqual, kUnlike };
  Start start = Start::kByLearn;
  double learning_rate = 0.05;
  // Without a name: the one that the algorithm insists on, else "sgd", with learning_rate.
  v1::OptimizerConfig optimizer;
  // Size of the made-up training set.
  uint32_t examples = 600;
  uint32_t batch_size = 8;
  // As v1.DataConfig: smaller makes the peers' parts more unlike each other; 0 deals evenly.
  double dirichlet_alpha = 0;
  // Parts of the training set; 0: one for each of `peers`. One fewer if one of them holds a centre.
  uint32_t parts = 0;
  // Steps of each peer; 0: until the end of the simulation.
  uint64_t steps = 0;
  // As v1.RunConfig, if `steps` is 0.
  double epochs = 0;
  bool final_merge = false;
  // As PeerOptions.
  absl::Duration evaluate_every = absl::ZeroDuration();
  // Has the last word on what each process is made with, by node.
  std::function<void(int node, PeerOptions& options)> adjust_peer;

  // A step takes step_time * uniform(1 - step_jitter, 1 + step_jitter); what is asked of the trainer
  // meanwhile waits. The first `stragglers` peers are slower by straggler_factor.
  absl::Duration step_time = absl::Milliseconds(20);
  double step_jitter = 0.3;
  int stragglers = 0;
  double straggler_factor = 5;
  // Factors of the step time by node, on top of that; nodes beyond its end have 1.
  std::vector<double> slowness;

  SimNetworkOptions network;
  // Without one, every peer is told the addresses of the first two, and of the first other that trains
  // by then.
  bool coordinator = true;
  // They are told these addresses beside the coordinator's too.
  bool seeds_beside_coordinator = false;
  // False: there is none until it is started.
  bool coordinator_from_start = true;
  SimCoordinatorOptions coordinator_options;
  // A global averaging round every so many steps; 0: none. Needs the coordinator.
  uint64_t averaging_period_steps = 0;
  absl::Duration averaging_deadline = absl::Seconds(5);
  MembershipOptions membership = MembershipOptions::Fast();
  GossipOptions gossip;
  RoundsOptions rounds;
  // Each process's monotonic clock began at some other time and is up to a thousandth too fast or slow.
  bool odd_clocks = false;

  // False: nobody looks on, for runs that measure. Checkers keep every exchange's deltas.
  bool check = true;
  // The checkers look this often.
  absl::Duration look_every = absl::Milliseconds(100);

  // INVALID_ARGUMENT naming the field.
  absl::Status Validate() const;
  // The run configuration of this swarm, complete and valid. Same code.
  absl::StatusOr<v1::RunConfig> RunConfig() const;
  // Calls of everybody to everybody are what a large swarm costs. Makes membership and the leases so
  // patient that `peers` of them make about 10,000 calls a virtual second, each with few rows, and
  // lets the checkers look less often. Up to a hundred peers nothing is changed.
  void BecomePatient();

  bool starts_equal() const {
    return start == Start::kByLearn ? learn : start == Start::kEqual;
  }
  // By how much the steps of this node are longer.
  double SlownessOf(int node) const;
  // The longest a step can take.
  absl::Duration LongestStep() const;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIMULATION_OPTIONS_H_
