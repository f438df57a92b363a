// What `starling demo` was asked for, and the command lines of the daemons that follow from it.
// Pure.

#ifndef STARLING_PEER_CLI_DEMO_OPTIONS_H_
#define STARLING_PEER_CLI_DEMO_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace starling {

struct DemoOptions {
  // Peers at the start, 1 to 64. Up: smaller parts of the data each, more processes on this
  // machine.
  int peers = 4;
  // Names that coordinatord knows; it refuses others.
  std::string model = "mlp";
  std::string algorithm = "elastic_gossip";  // name[:option=value,...]
  std::string data = "fashion_mnist";
  // How parameters travel in exchanges; as of peerd.
  std::string request_codec = "fp32";
  std::string reply_codec = "fp32";
  // Directory of the data files; empty means the data set's usual place.
  std::string data_dir;
  // One peer more, which holds the centre; WithAlgorithm of demo_algorithm.h knows.
  bool centre = false;
  // Empty or 0 leaves the next three to the daemons' defaults.
  std::string optimizer;
  double learning_rate = 0;
  // Over the last share of the run the step length falls to 0; see proto/run.proto.
  double decay_share = 1.0 / 3;
  int batch_size = 0;
  // Passes of each peer over its own part of the data. Above 0, so that the demo ends.
  double epochs = 3;
  uint64_t seed = 1;
  // Unevenness of the split of the classes over the peers; 0 is even, smaller above 0 is more
  // uneven.
  double dirichlet_alpha = 0;
  // Steps between exact averages over all peers; 0 is never.
  int64_t averaging_period = 0;
  // One exact average at the very end; see proto/run.proto.
  bool final_merge = false;
  // Kill a peer a third of the way, add one at two thirds.
  bool churn = false;
  // Most steps per second of one peer; 0 is as fast as it can. Negative is 0 without churn, and
  // with it whatever makes the training last about 25 s, so that there is time to see a death
  // noticed.
  double pace = -1;
  // Directory that takes the daemons' logs; empty means they go with the demo.
  std::string keep_logs;
  // The whole demo is over after this, a second run to compare with included; of several compared
  // each has this much.
  absl::Duration timeout = absl::Seconds(170);

  // INVALID_ARGUMENT: a field is out of its range; names the flag, the value and the range.
  absl::Status Validate() const;
};

// The pace that a negative DemoOptions::pace stands for; other values as they are.
double EffectivePace(const DemoOptions& options);

std::vector<std::string> CoordinatorArguments(const DemoOptions& options,
                                              absl::string_view address_file);

// `name` is what the peer calls itself in its log; `centre` if it is the one that holds the centre.
std::vector<std::string> PeerArguments(const DemoOptions& options, absl::string_view name,
                                       bool centre, absl::string_view coordinator,
                                       absl::string_view address_file);

}  // namespace starling

#endif  // STARLING_PEER_CLI_DEMO_OPTIONS_H_
