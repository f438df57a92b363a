#include "tests/reproduction/cell_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "model/evaluate.h"
#include "peer/algorithms/registry.h"
#include "peer/peer.h"
#include "peer/runtime/run_config.h"
#include "tests/reproduction/fashion.h"

namespace starling {
namespace {

constexpr size_t kEvaluationBatch = 500;
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr absl::Duration kLongest = absl::Hours(1);

absl::StatusOr<bool> NeedsCentre(const Cell& cell) {
  v1::AlgorithmConfig config;
  if (absl::Status status = ParseAlgorithm(cell.algorithm, &config); !status.ok()) return status;
  auto algorithm = MakeAlgorithm(config, {.workers = static_cast<size_t>(cell.workers)});
  if (!algorithm.ok()) return algorithm.status();
  return algorithm->needs_centre;
}

SimulationOptions OptionsFor(const Cell& cell, uint64_t seed, const TrainAndTest& data,
                             bool with_centre) {
  SimulationOptions options;
  options.seed = seed;
  options.peers = cell.workers + (with_centre ? 1 : 0);
  options.parts = static_cast<uint32_t>(cell.workers);
  options.algorithm = cell.algorithm;
  options.shard_elements = 1 << 18;
  options.model_name = kReproductionModel;
  options.train = FirstOf(data.train, cell.examples);
  // Peers measure themselves when they finish; what counts is measured here, afterwards.
  options.test = FirstOf(data.test, 1);
  options.make_model = [train = options.train](uint64_t model_seed) {
    return MakeReproductionModel(*train, model_seed);
  };
  options.optimizer = cell.optimizer;
  options.batch_size = cell.batch_size;
  options.dirichlet_alpha = cell.dirichlet_alpha;
  options.steps = cell.steps;
  options.final_merge = cell.final_merge;
  options.step_time = kStepTime;
  options.slowness = cell.slowness;
  options.network = cell.network;
  options.check = false;
  if (with_centre) {
    options.adjust_peer = [last = cell.workers](int node, PeerOptions& peer) {
      peer.centre = node == last;
    };
  }
  return options;
}

// What is measured of a swarm, on the way and at its end.
class Measurement {
 public:
  Measurement(const Cell& cell, const TrainAndTest& data, const TestSizes& sizes, int centre)
      : centre_(centre),
        model_(MakeReproductionModel(*data.train, 1)),
        test_(FirstOf(data.test, sizes.end)),
        test_on_the_way_(FirstOf(data.test, sizes.way)),
        workers_(cell.workers) {}

  void NoteStep(absl::Time now) {
    if (!first_step_.has_value()) first_step_ = now;
    last_step_ = now;
  }
  bool begun() const { return first_step_.has_value(); }
  absl::Duration Since(absl::Time now) const { return now - *first_step_; }

  void AddPoint(const Simulation& simulation) {
    const std::vector<const SimPeer*> workers = Workers(simulation);
    if (workers.empty()) return;
    CurvePoint point;
    point.steps = static_cast<double>(simulation.TotalSteps()) / workers_;
    point.seconds = absl::ToDoubleSeconds(Since(simulation.now()));
    for (const SimPeer* worker : workers) {
      point.train_loss += worker->Status().training().loss() / static_cast<double>(workers.size());
    }
    const std::vector<float> mean = MeanOf(workers);
    point.consensus = Distance(workers, mean);
    const Evaluation evaluation = Measure(mean, *test_on_the_way_);
    point.average_loss = evaluation.loss;
    point.average_accuracy = evaluation.accuracy;
    curve_.push_back(point);
  }

  CellResult Finish(const Simulation& simulation) {
    CellResult result;
    const std::vector<const SimPeer*> workers = Workers(simulation);
    const double count = static_cast<double>(workers.size());
    double own = 0, lowest = 1, mass = 0, waiting = 0, exchanges = 0, steps = 0;
    for (const SimPeer* worker : workers) {
      const absl::Span<const float> parameters = worker->parameters();
      const Evaluation evaluation = Measure({parameters.begin(), parameters.end()}, *test_);
      own += evaluation.accuracy / count;
      lowest = std::min(lowest, evaluation.accuracy);
      const v1::Status& status = worker->Status();
      steps += static_cast<double>(status.training().step()) / count;
      mass += status.gossip().mass() / count;
      waiting += status.training().waiting_time_share() / count;
      exchanges += static_cast<double>(status.gossip().exchanges_committed()) / count;
    }
    const std::vector<float> mean = MeanOf(workers);
    const Evaluation average = Measure(mean, *test_);
    double worst_rise = 0;
    for (size_t i = 1; i < curve_.size(); ++i) {
      worst_rise = std::max(worst_rise, curve_[i].average_loss - curve_[i - 1].average_loss);
    }
    result.metrics = {
        {"own_accuracy", own},
        {"own_accuracy_min", lowest},
        {"average_accuracy", average.accuracy},
        {"average_loss", average.loss},
        {"gain", average.accuracy - own},
        {"consensus", Distance(workers, mean)},
        {"megabytes", static_cast<double>(simulation.TotalTraffic().frame_bytes) / 1e6 / workers_},
        {"seconds", absl::ToDoubleSeconds(last_step_ - *first_step_)},
        {"steps", steps},
        {"exchanges", exchanges},
        {"early_loss",
         curve_.empty() ? kNotANumber : curve_[(curve_.size() - 1) / 4].average_loss},
        {"worst_rise", worst_rise},
        {"mass", mass},
        {"waiting", waiting},
    };
    if (centre_ >= 0 && simulation.nodes()[centre_].process != nullptr) {
      const absl::Span<const float> centre = simulation.peer(centre_).parameters();
      result.metrics.emplace_back("centre_accuracy",
                                  Measure({centre.begin(), centre.end()}, *test_).accuracy);
    }
    result.curve = std::move(curve_);
    return result;
  }

  bool AllFinished(const Simulation& simulation) const {
    const auto& nodes = simulation.nodes();
    for (int node = 0; node < static_cast<int>(nodes.size()); ++node) {
      if (node == centre_ || nodes[node].process == nullptr) continue;
      if (nodes[node].process->phase() != v1::PHASE_FINISHED) return false;
    }
    return true;
  }

 private:
  std::vector<const SimPeer*> Workers(const Simulation& simulation) const {
    std::vector<const SimPeer*> workers;
    const auto& nodes = simulation.nodes();
    for (int node = 0; node < static_cast<int>(nodes.size()); ++node) {
      const SimPeer* const process = nodes[node].process.get();
      if (node != centre_ && process != nullptr && process->trained()) workers.push_back(process);
    }
    return workers;
  }

  std::vector<float> MeanOf(const std::vector<const SimPeer*>& workers) const {
    std::vector<double> sum(model_->parameters().size());
    for (const SimPeer* worker : workers) {
      const absl::Span<const float> parameters = worker->parameters();
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += parameters[i];
    }
    std::vector<float> mean;
    for (const double value : sum) {
      mean.push_back(static_cast<float>(value / static_cast<double>(workers.size())));
    }
    return mean;
  }

  static double Distance(const std::vector<const SimPeer*>& workers,
                         const std::vector<float>& mean) {
    double squares = 0;
    for (const SimPeer* worker : workers) {
      const absl::Span<const float> parameters = worker->parameters();
      for (size_t i = 0; i < mean.size(); ++i) {
        const double distance = double{parameters[i]} - mean[i];
        squares += distance * distance;
      }
    }
    return std::sqrt(squares / static_cast<double>(workers.size()));
  }

  Evaluation Measure(const std::vector<float>& parameters, const Dataset& test) {
    std::memcpy(model_->parameters().data(), parameters.data(), parameters.size() * sizeof(float));
    const auto evaluation = EvaluateOn(*model_, test, kEvaluationBatch);
    return evaluation.ok() ? *evaluation : Evaluation{.accuracy = 0, .loss = kNotANumber};
  }

  const int centre_;  // -1: none
  const std::unique_ptr<Model> model_;
  const std::shared_ptr<const Dataset> test_;
  const std::shared_ptr<const Dataset> test_on_the_way_;
  const double workers_;
  absl::optional<absl::Time> first_step_;
  absl::Time last_step_;
  std::vector<CurvePoint> curve_;
};

absl::Status Ended(const Simulation& simulation) {
  for (const Simulation::Node& node : simulation.nodes()) {
    if (node.ended.ok()) continue;
    return absl::InternalError(absl::StrCat(node.address, " ended: ", node.ended.message()));
  }
  return absl::OkStatus();
}

}  // namespace

double CurvePoint::Value(absl::string_view name) const {
  if (name == "train_loss") return train_loss;
  if (name == "average_loss") return average_loss;
  if (name == "average_accuracy") return average_accuracy;
  if (name == "consensus") return consensus;
  return kNotANumber;
}

double CellResult::Metric(absl::string_view name) const {
  for (const auto& [metric, value] : metrics) {
    if (metric == name) return value;
  }
  return kNotANumber;
}

absl::StatusOr<CellResult> RunCell(const Cell& cell, uint64_t seed, const TrainAndTest& data,
                                   const TestSizes& sizes) {
  const auto with_centre = NeedsCentre(cell);
  if (!with_centre.ok()) return with_centre.status();
  auto created = Simulation::Create(OptionsFor(cell, seed, data, *with_centre));
  if (!created.ok()) return created.status();
  Simulation& simulation = **created;

  Measurement measurement(cell, data, sizes, *with_centre ? cell.workers : -1);
  simulation.EverySteps(1, [&](const Simulation& seen) { measurement.NoteStep(seen.now()); });
  const auto add_point = [&](const Simulation& seen) {
    if (measurement.begun()) measurement.AddPoint(seen);
  };
  if (cell.steps > 0) {
    const uint64_t all_steps = cell.steps * static_cast<uint64_t>(cell.workers);
    simulation.EverySteps(std::max<uint64_t>(1, all_steps / sizes.points), add_point);
  } else {
    simulation.Every(cell.duration / sizes.points, add_point);
  }
  const auto done = [&] {
    if (!Ended(simulation).ok()) return true;
    if (!measurement.begun()) return false;
    if (cell.steps == 0) return measurement.Since(simulation.now()) >= cell.duration;
    return measurement.AllFinished(simulation);
  };
  if (cell.drive != nullptr) {
    cell.drive(simulation, done);
  } else {
    simulation.RunUntil(done, kLongest);
  }
  if (absl::Status status = Ended(simulation); !status.ok()) return status;
  if (!done()) {
    return absl::DeadlineExceededError(absl::StrCat(
        "the swarm made ", simulation.TotalSteps(), " steps in a virtual hour and did not finish"));
  }
  // Exchanges under way end.
  if (cell.steps > 0) simulation.RunFor(absl::Milliseconds(500));
  return measurement.Finish(simulation);
}

}  // namespace starling
