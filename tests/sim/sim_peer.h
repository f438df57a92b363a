// One process of a simulated swarm: the shipped Peer with everything that peerd would give it, from
// the simulated world. Destroying it is SIGKILL.
//
// What it shows may be read between two events only.

#ifndef STARLING_TESTS_SIM_SIM_PEER_H_
#define STARLING_TESTS_SIM_SIM_PEER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "model/dataset.h"
#include "model/model.h"
#include "peer/membership/coordinator_client.h"
#include "peer/peer.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/holding.h"
#include "peer/runtime/ids.h"
#include "peer/runtime/random.h"
#include "peer/training/training_actor.h"
#include "tests/sim/sim_coordinator.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_transport.h"
#include "tests/sim/simulation_options.h"
#include "tests/sim/workload.h"

namespace starling {

// What all processes of a swarm share. Not owned; outlives them.
struct SimPeerWorld {
  SimWorld* world = nullptr;
  SimNetwork* network = nullptr;
  SimCoordinator* coordinator = nullptr;  // null: none
  BufferPool* pool = nullptr;
  const SimulationOptions* options = nullptr;
  const v1::RunConfig* config = nullptr;
  const Workload* workload = nullptr;
  std::function<void(const std::string&)> log;
  // Steps of all peers so far, and whether one of them has left or ended since this was cleared.
  uint64_t steps = 0;
  bool departures = false;
};

struct SimPeerSpec {
  // Position in the swarm, and the number of this process among all there ever were.
  int node = 0;
  uint64_t process = 0;
  PeerId id;
  Incarnation incarnation = 1;
  std::string address;
  uint32_t slot = 0;
  bool centre = false;
  std::vector<std::string> seeds;
  uint64_t model_seed = 0;
  double slowness = 1;
  SimClock clock;
};

class SimPeer {
 public:
  // Starts at once. `observer` outlives it; null: none.
  SimPeer(SimPeerWorld& world, SimPeerSpec spec, Random random, MixObserver* observer);
  ~SimPeer();

  // Leaves in good order; left() some time later.
  void Leave();
  // Stops all its threads, as SIGSTOP does, and continues.
  void Pause();
  void Resume();
  bool paused() const { return control_->paused(); }
  // Its monotonic clock leaps forward, as a suspended machine's may.
  void LeapClock(absl::Duration by);

  const SimPeerSpec& spec() const { return spec_; }
  v1::Phase phase() const { return peer_->phase(); }
  // As of the last event.
  const v1::Status& Status() const;
  // Of the live model.
  absl::Span<float> parameters() const { return model_->parameters(); }
  // Has parameters that belong to the swarm: it trains or holds the centre, or has finished or left doing
  // so.
  bool trained() const {
    return steps_ > 0 || phase() == v1::PHASE_FINISHED ||
           (spec_.centre && (phase() == v1::PHASE_TRAINING ||
                             Status().gossip().shards_answered() > 0));
  }
  uint64_t steps() const { return steps_; }
  // Sent by this process.
  const SimTraffic& traffic() const { return transport_->traffic(); }
  // As of the last event, the transport's included.
  Holdings GetHoldings() const;
  // Of the last step, or of the awakening since.
  absl::Time last_sign_of_progress() const { return last_progress_; }
  bool leaving() const { return leaving_; }
  bool left() const { return left_; }
  // Not OK if the peer ended by itself.
  const absl::Status& ended() const { return ended_; }

  const Peer& peer() const { return *peer_; }
  const SimExecutor& control() const { return *control_; }
  const SimExecutor& training() const { return *training_; }
  const SimExecutor& evaluation() const { return *evaluation_; }

 private:
  absl::Duration NextStepTime();

  SimPeerWorld& world_;
  const SimPeerSpec spec_;
  const absl::Duration step_time_;
  const double step_jitter_;
  Random random_;
  SimExecutor* const control_;
  SimExecutor* const training_;
  SimExecutor* const evaluation_;
  uint64_t steps_ = 0;
  absl::Time last_progress_;
  bool leaving_ = false;
  bool left_ = false;
  absl::Status ended_;
  std::unique_ptr<SimTransport> transport_;
  std::unique_ptr<CoordinatorClient> coordinator_;
  Model* model_ = nullptr;  // owned by peer_
  std::unique_ptr<Peer> peer_;
  mutable v1::Status status_;
  mutable uint64_t status_at_ = ~uint64_t{0};  // how many events had been run
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_SIM_PEER_H_
