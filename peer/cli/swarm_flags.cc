#include "peer/cli/swarm_flags.h"

#include "absl/flags/flag.h"

ABSL_FLAG(int, peers, 4, "peers at the start, 1 to 64");
ABSL_FLAG(std::string, data, "fashion_mnist", "data set: fashion_mnist, idx, synthetic");
ABSL_FLAG(std::string, data_dir, "", "directory of the data files; empty is the data set's own");
ABSL_FLAG(uint64_t, seed, 1, "root of every random stream, at least 1");
ABSL_FLAG(std::string, keep_logs, "", "directory that keeps the daemons' logs");
