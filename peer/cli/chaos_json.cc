#include <nlohmann/json.hpp>

#include "peer/cli/chaos_report.h"

namespace starling {
namespace {

using Json = nlohmann::ordered_json;
using Figure = std::optional<double> ChaosFigures::*;

// Names of the times, in the order in which they are told.
const std::vector<std::pair<const char*, Figure>>& Times() {
  static const auto* const times = new std::vector<std::pair<const char*, Figure>>{
      {"next_exchange", &ChaosFigures::next_exchange},
      {"suspected", &ChaosFigures::suspected},
      {"dead", &ChaosFigures::dead},
      {"one_view", &ChaosFigures::one_view},
      {"one_model", &ChaosFigures::one_model},
      {"newcomer_steps", &ChaosFigures::newcomer_steps},
  };
  return *times;
}

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json RunJson(const ChaosRun& run) {
  Json json;
  for (const auto& [name, figure] : Times()) json[name] = OrNull(run.figures.*figure);
  json["longest_pause"] = run.figures.longest_pause;
  json["longest_pause_before"] = run.figures.longest_pause_before;
  json["step_time"] = run.figures.step_time;
  json["steps_lost"] = run.figures.steps_lost;
  json["wrongly_suspected"] = run.figures.wrongly_suspected;
  json["wrongly_dead"] = run.figures.wrongly_dead;
  json["test_accuracy"] = run.accuracy;
  json["consensus_distance"] = run.consensus_distance;
  return json;
}

Json RowJson(const ChaosRow& row) {
  Json json = {{"event", row.event.name},
               {"title", row.event.title},
               {"lasts_seconds", absl::ToDoubleSeconds(row.event.lasts)},
               {"skipped", row.skipped.empty() ? Json(nullptr) : Json(row.skipped)},
               {"problems", row.problems},
               {"median", Json::object()},
               {"runs", Json::array()},
               {"undisturbed_test_accuracy", row.undisturbed}};
  for (const auto& [name, figure] : Times()) {
    json["median"][name] =
        OrNull(MedianTime(row.runs, [figure = figure](const ChaosRun& run) {
          return run.figures.*figure;
        }));
  }
  for (const ChaosRun& run : row.runs) json["runs"].push_back(RunJson(run));
  return json;
}

}  // namespace

std::string ChaosJson(const ChaosReport& report, int exit_code) {
  Json json = {{"exit_code", exit_code},
               {"peers", report.peers},
               {"preset", report.preset},
               {"seed", report.seed},
               {"steps_per_second", report.steps_per_second},
               {"faults", Json::array()}};
  for (const ChaosRow& row : report.rows) json["faults"].push_back(RowJson(row));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace starling
