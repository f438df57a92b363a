#include "tests/reproduction/runner.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/status/status.h"

namespace starling {
namespace {

constexpr uint64_t kQuickDivisor = 10;

void MakeQuick(Experiment& experiment, std::vector<uint64_t>& seeds) {
  for (Cell& cell : experiment.cells) {
    if (cell.steps > 0) cell.steps = std::max<uint64_t>(10, cell.steps / kQuickDivisor);
    cell.duration /= static_cast<int64_t>(kQuickDivisor);
  }
  if (seeds.size() > 2) seeds.resize(2);
}

}  // namespace

ExperimentResults RunExperiment(Experiment experiment, const TrainAndTest& data,
                                const RunnerOptions& options) {
  ExperimentResults results;
  results.seeds = options.seeds;
  if (options.quick) MakeQuick(experiment, results.seeds);
  results.experiment = std::move(experiment);
  const size_t cells = results.experiment.cells.size();
  const size_t seeds = results.seeds.size();
  results.runs.assign(cells, std::vector<absl::StatusOr<CellResult>>(
                                 seeds, absl::UnknownError("not run")));

  std::mutex mutex;
  size_t next = 0;
  size_t done = 0;
  const auto work = [&] {
    for (;;) {
      size_t job;
      {
        const std::lock_guard<std::mutex> lock(mutex);
        if (next == cells * seeds) return;
        job = next++;
      }
      absl::StatusOr<CellResult>& slot = results.runs[job / seeds][job % seeds];
      slot = RunCell(results.experiment.cells[job / seeds], results.seeds[job % seeds], data);
      const std::lock_guard<std::mutex> lock(mutex);
      ++done;
      if (options.progress != nullptr) options.progress(done, cells * seeds);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return results;
}

}  // namespace starling
