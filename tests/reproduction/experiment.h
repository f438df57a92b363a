// What an experiment is: a list of cells, each of which trains one swarm, and how its figures are told.
// Experiments are values; nothing here runs.

#ifndef STARLING_TESTS_REPRODUCTION_EXPERIMENT_H_
#define STARLING_TESTS_REPRODUCTION_EXPERIMENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/run.pb.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/simulation.h"

namespace starling {

// One setting: a row of the table, and a point or a line of the plot.
struct Cell {
  std::string label;  // unique within its experiment; no comma
  std::string algorithm;  // as --algorithm takes it
  // That train; an algorithm that needs a centre gets one more node, the last.
  int workers = 4;
  v1::OptimizerConfig optimizer;
  uint32_t batch_size = 32;
  // The first so many training images, split into `workers` parts.
  uint32_t examples = 12'800;
  double dirichlet_alpha = 0;  // 0: an even random split
  // Steps of each worker. 0: as many as it makes in `duration`, which must then be set.
  uint64_t steps = 1000;
  absl::Duration duration = absl::ZeroDuration();
  std::vector<double> slowness;  // factors of the step time, by node
  SimNetworkOptions network;
  bool final_merge = false;
  // Lets time pass until the run is over, with faults on the way; null: undisturbed. `done` says
  // whether it is over.
  std::function<void(Simulation& simulation, const std::function<bool()>& done)> drive;
  // In a plot over settings: the line this point belongs to, and where it lies.
  std::string series;
  double x = 0;
};

// A metric of CellResult, by name, as a column.
struct Column {
  std::string metric;
  std::string heading;
  int digits = 4;
  double scale = 1;
};

struct PlotSpec {
  enum class Kind {
    kSettings,  // metric over Cell::x, a line for each series
    kCourse,    // a quantity of CurvePoint over time or steps, a line for each cell
  };
  std::string title;
  Kind kind = Kind::kSettings;
  std::string metric;  // of a result; or of a CurvePoint: its field's name
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = false;
  bool over_seconds = false;  // kCourse: else over steps of a worker
};

struct Experiment {
  std::string id;  // "B1"
  std::string title;
  std::string paper;
  std::vector<Cell> cells;
  std::vector<Column> columns;
  PlotSpec plot;
};

// Virtual time of a step; every worker's is drawn from 0.7 to 1.3 of it.
inline constexpr absl::Duration kStepTime = absl::Milliseconds(20);

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_EXPERIMENT_H_
