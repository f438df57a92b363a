// What one peer is told at its start.

#ifndef STARLING_PEER_PEER_OPTIONS_H_
#define STARLING_PEER_PEER_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "peer/gossip/data_gate.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/gossip/offence_ledger.h"
#include "peer/membership/options.h"
#include "peer/rounds/rounds_actor.h"
#include "peer/runtime/ids.h"
#include "peer/state/joiner.h"
#include "peer/state/state_keeper.h"
#include "proto/run.pb.h"
#include "proto/status.pb.h"

namespace starling {

struct PeerOptions {
  // Complete and valid; what the run id was computed from.
  v1::RunConfig config;
  PeerId id;
  Incarnation incarnation = 1;
  // Where others reach us.
  std::string address;
  std::string version;
  // Peers to ask when there is no coordinator, or beside it.
  std::vector<std::string> seeds;
  // Which part of the training set is ours.
  uint32_t slot = 0;
  // Holds the centre of an algorithm that needs one, and does not train.
  bool centre = false;
  MembershipOptions membership;
  GossipOptions gossip;
  RoundsOptions rounds;
  // What payloads may take of the network; what is not set is not limited.
  v1::LinkLimits limits;
  StateKeeperOptions keeper;
  JoinerOptions joiner;
  // Test set accuracy is measured this often while training, and always at the end. 0: at the end
  // only. Up: less computing taken from the other cores.
  absl::Duration evaluate_every = absl::Seconds(20);
  // Where checkpoints are kept; empty: none.
  std::string checkpoint_directory;
  // Up: less disk; down: less is lost if every peer stops at once.
  absl::Duration checkpoint_every = absl::Seconds(60);
  // What others send is judged by these.
  DataGateOptions data_gate;
  OffenceOptions offences;
  // Parameters or a loss that are not finite make the peer go back to its last checkpoint, or to a copy of
  // another peer; after so many times without progress in between it ends with INTERNAL. Up: more patience with
  // bad luck; down: a learning rate that is too high is noticed sooner. 0: the first time ends it.
  uint32_t rollbacks = 3;
  // The learning rate is multiplied by this each time, for the rest of this peer's life. In (0, 1].
  double rollback_rate = 0.5;
  // See TrainingOptions.
  std::function<absl::Duration()> step_time;
  bool learn = true;
  // Exchanges under way at departure get this long.
  absl::Duration drain = absl::Seconds(2);
};

}  // namespace starling

#endif  // STARLING_PEER_PEER_OPTIONS_H_
