// Runs the cells of an experiment with every seed, several at a time.

#ifndef STARLING_TESTS_REPRODUCTION_RUNNER_H_
#define STARLING_TESTS_REPRODUCTION_RUNNER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/registry.h"
#include "tests/reproduction/experiment.h"
#include "tests/reproduction/report.h"

namespace starling {

struct RunnerOptions {
  std::vector<uint64_t> seeds = {1, 2, 3};
  // Runs at once, each on one thread; what comes out does not depend on it.
  int threads = 2;
  // A tenth of the steps and two seeds at most: whether everything works, not what comes out.
  bool quick = false;
  // Called after every run, one call at a time, with how many are done of how many.
  std::function<void(size_t done, size_t all)> progress;
};

ExperimentResults RunExperiment(Experiment experiment, const TrainAndTest& data,
                                const RunnerOptions& options);

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_RUNNER_H_
