#include "peer/cli/json_output.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "peer/cli/demo_comparison.h"
#include "peer/cli/words.h"

namespace starling {
namespace {

// Keeps the order in which fields were written, as a person would read them.
using Json = nlohmann::ordered_json;

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

// Reasons come from other processes: bytes that are not UTF-8 are replaced, never thrown at us.
std::string Text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json AveragedJson(const v1::EvaluateAverageResponse& averaged) {
  Json json = {{"test_accuracy", averaged.test_accuracy()},
               {"test_loss", averaged.test_loss()},
               {"consensus_distance", averaged.consensus_distance()},
               {"peer_ids", Json::array()},
               {"missing", Json::array()}};
  for (const std::string& id : averaged.peer_ids()) json["peer_ids"].push_back(id);
  for (const std::string& missing : averaged.missing()) json["missing"].push_back(missing);
  return json;
}

Json PeerJson(const DemoPeer& peer) {
  const v1::TrainingStatus& training = peer.status.training();
  const v1::GossipStatus& gossip = peer.status.gossip();
  Json json = {
      {"name", peer.name},
      {"peer_id", peer.status.peer_id()},
      {"address", peer.status.address()},
      {"phase", peer.known ? PhaseWord(peer.status.phase()) : "starting"},
      {"newcomer", peer.newcomer},
      {"centre", peer.centre},
      {"joined_step", peer.newcomer && peer.first_step ? Json(*peer.first_step) : Json(nullptr)},
      {"step", training.step()},
      {"total_steps", training.total_steps()},
      {"samples", training.samples()},
      {"samples_per_second", training.samples_per_second()},
      {"loss", training.loss()},
      {"test_accuracy",
       training.evaluated() && !peer.killed ? Json(training.test_accuracy()) : Json(nullptr)},
      {"mixing_time_share", training.mixing_time_share()},
      {"waiting_time_share", training.waiting_time_share()},
      {"exchanges_committed", gossip.exchanges_committed()},
      {"exchanges_answered", gossip.exchanges_answered()},
      {"exchanges_failed", gossip.exchanges_failed()},
      {"bytes_sent", gossip.bytes_sent()},
      {"bytes_received", gossip.bytes_received()},
      {"consensus_distance", gossip.consensus_distance()},
      {"averaging_rounds_complete", peer.status.averaging().rounds_complete()},
      {"rounds_joined", peer.status.rounds().rounds_joined()},
      {"rounds_complete", peer.status.rounds().rounds_complete()},
      {"rounds_partial", peer.status.rounds().rounds_partial()},
      {"mass", gossip.mass()},
      {"left", peer.left},
      {"failure", peer.failure.empty() ? Json(nullptr) : Json(peer.failure)},
      {"killed", nullptr},
  };
  if (peer.killed) {
    json["killed"] = {{"at_step", training.step()},
                      {"reported_state", peer.death ? Json(peer.death->state) : Json(nullptr)},
                      {"reason", peer.death ? Json(peer.death->reason) : Json(nullptr)},
                      {"reported_by", peer.death ? Json(peer.death->reported_by) : Json(nullptr)}};
  }
  return json;
}

Json ReportJson(const DemoReport& report) {
  Json json = {
      {"outcome", OutcomeWord(report.outcome)},
      {"reason", report.reason},
      {"problems", Problems(report)},
      {"model", report.options.model},
      {"data", report.options.data},
      {"algorithm", report.options.algorithm},
      {"optimizer", report.options.optimizer},
      {"epochs", report.options.epochs},
      {"decay_share", report.options.decay_share},
      {"seed", report.options.seed},
      {"dirichlet_alpha", report.options.dirichlet_alpha},
      {"averaging_period", report.options.averaging_period},
      {"final_merge", report.options.final_merge},
      {"churn", report.options.churn},
      {"steps_per_second_limit", EffectivePace(report.options)},
      {"run_id", report.peers.empty() ? "" : report.peers.front().status.run_id()},
      {"wall_seconds", absl::ToDoubleSeconds(report.wall_time)},
      {"averaged", report.averaged ? AveragedJson(*report.averaged) : Json(nullptr)},
      {"mean_test_accuracy", OrNull(MeanAccuracy(report))},
      {"lowest_test_accuracy", OrNull(LowestAccuracy(report))},
      {"bytes_sent", TotalBytesSent(report)},
      {"bytes_sent_per_peer", BytesSentPerWorker(report)},
      {"waiting_time_share", WaitingShare(report)},
      {"peers", Json::array()},
  };
  for (const DemoPeer& peer : report.peers) json["peers"].push_back(PeerJson(peer));
  return json;
}

}  // namespace

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails only on malformed Any and Timestamp fields, of which we have none.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json;
}

std::string DemoJson(const DemoReport& report, const DemoReport* comparison, int exit_code) {
  Json json = {{"exit_code", exit_code}};
  json.update(ReportJson(report));
  if (comparison != nullptr) {
    const bool both = report.averaged && comparison->averaged;
    json["comparison"] = {
        {"run", ReportJson(*comparison)},
        {"difference", both ? Json(report.averaged->test_accuracy() -
                                   comparison->averaged->test_accuracy())
                            : Json(nullptr)}};
  }
  return Text(json);
}

std::string ComparedJson(const std::vector<DemoReport>& reports, int exit_code) {
  Json json = {{"exit_code", exit_code}, {"runs", Json::array()}};
  for (const DemoReport& report : reports) {
    Json run = ReportJson(report);
    run["points_below_allreduce"] = OrNull(PointsBelowAllreduce(report, reports));
    json["runs"].push_back(std::move(run));
  }
  return Text(json);
}

}  // namespace starling
