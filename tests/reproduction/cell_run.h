// Runs one cell with one seed: the shipped Peers train for real, in simulated time over a simulated
// network. The same cell, seed and data give the same result, bit by bit.

#ifndef STARLING_TESTS_REPRODUCTION_CELL_RUN_H_
#define STARLING_TESTS_REPRODUCTION_CELL_RUN_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/registry.h"
#include "tests/reproduction/experiment.h"

namespace starling {

// The swarm at one moment. The averaged model is measured on a part of the test images.
struct CurvePoint {
  double steps = 0;    // of a worker, on average
  double seconds = 0;  // virtual, since the first step
  double train_loss = 0;
  double average_loss = 0;
  double average_accuracy = 0;
  double consensus = 0;

  // Named as above; NaN for another name.
  double Value(absl::string_view name) const;
};

struct CellResult {
  // In a fixed order:
  //   own_accuracy, own_accuracy_min   of the workers' own models, mean and lowest
  //   average_accuracy, average_loss   of their averaged model
  //   gain                             average_accuracy - own_accuracy
  //   consensus                        root mean square distance of a worker from the average
  //   megabytes                        sent as frames, per worker
  //   seconds                          virtual, from the first step to the last
  //   steps                            of a living worker, mean
  //   exchanges                        pair exchanges that committed, per worker
  //   early_loss                       of the averaged model after a quarter of the run
  //   worst_rise                       largest rise of the averaged model's loss between two points
  //   mass                             mean push-sum weight
  //   waiting                          share of the time that a worker waited for others, mean
  //   centre_accuracy                  if there is a centre
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<CurvePoint> curve;

  // NaN if there is no such metric.
  double Metric(absl::string_view name) const;
};

// How much of the test set is used: at the end, and on the way.
struct TestSizes {
  size_t end = 5000;
  size_t way = 1000;
  int points = 12;
};

// INVALID_ARGUMENT: the cell's settings. DEADLINE_EXCEEDED: the swarm did not finish in a virtual hour.
// INTERNAL: a peer ended by itself, for example because it diverged.
absl::StatusOr<CellResult> RunCell(const Cell& cell, uint64_t seed, const TrainAndTest& data,
                                   const TestSizes& sizes = {});

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_CELL_RUN_H_
