// What a swarm trains, on what: by default a quadratic model on made-up examples, or whatever the
// options bring along. A binary that brings LibTorch models links LibTorch; this room does not.

#ifndef STARLING_TESTS_SIM_WORKLOAD_H_
#define STARLING_TESTS_SIM_WORKLOAD_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "model/dataset.h"
#include "tests/sim/simulation_options.h"

namespace starling {

struct Workload {
  ModelFactory make_model;
  ModelFactory make_evaluation_model;
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
  // Length of the parameter vector.
  size_t parameters = 0;
  // Of the mean loss over all training examples; empty if nobody knows it.
  std::vector<double> optimum;
};

// `options` are valid.
Workload MakeWorkload(const SimulationOptions& options);

}  // namespace starling

#endif  // STARLING_TESTS_SIM_WORKLOAD_H_
