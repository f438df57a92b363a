#include "peer/cli/demo_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/cli/stop_signal.h"
#include "peer/cli/table.h"
#include "peer/cli/words.h"
#include "peer/runtime/exit_codes.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

std::vector<double> Accuracies(const DemoReport& report) {
  std::vector<double> accuracies;
  for (const DemoPeer& peer : report.peers) {
    if (!peer.killed && !peer.centre && peer.known && peer.status.training().evaluated()) {
      accuracies.push_back(peer.status.training().test_accuracy());
    }
  }
  return accuracies;
}

// An accuracy's distance from another, in percentage points: "1.2 points below".
std::string PointsText(double difference) {
  return absl::StrFormat("%.1f points %s", std::fabs(100 * difference),
                         difference < 0 ? "below" : "above");
}

std::string Story(const DemoPeer& peer) {
  if (peer.killed) {
    const std::string killed = absl::StrCat("killed at step ", peer.status.training().step());
    if (!peer.death) return absl::StrCat(killed, ", never reported as dead");
    return absl::StrCat(killed, ", reported ", peer.death->state, " by ", peer.death->reported_by,
                        ": ", OneLine(peer.death->reason));
  }
  std::string story;
  if (peer.left) {
    story = absl::StrCat("left at step ", peer.status.training().step());
  } else if (!peer.failure.empty()) {
    story = absl::StrCat("FAILED: ", peer.failure);
  } else if (!peer.known) {
    story = "never answered";
  } else {
    story = peer.centre ? "holds the centre" : PhaseWord(peer.status.phase());
  }
  if (peer.newcomer && peer.first_step) {
    absl::StrAppend(&story, ", joined at step ", *peer.first_step);
  }
  return story;
}

bool HasRounds(const DemoReport& report) {
  return std::any_of(report.peers.begin(), report.peers.end(), [](const DemoPeer& peer) {
    return peer.status.rounds().rounds_joined() > 0;
  });
}

// Mean of a figure over the workers that were heard of.
template <typename Figure>
double MeanOverWorkers(const DemoReport& report, Figure figure) {
  double sum = 0;
  int workers = 0;
  for (const DemoPeer& peer : report.peers) {
    if (peer.centre || !peer.known) continue;
    sum += figure(peer.status);
    ++workers;
  }
  return workers == 0 ? 0 : sum / workers;
}

void AddPeer(const DemoPeer& peer, bool with_rounds, Table& table) {
  std::vector<std::string> row = {peer.name};
  if (peer.known) {
    const v1::TrainingStatus& training = peer.status.training();
    const v1::GossipStatus& gossip = peer.status.gossip();
    row.push_back(training.evaluated() && !peer.killed ? AccuracyText(training.test_accuracy())
                                                       : "-");
    row.push_back(peer.centre ? "-" : absl::StrCat(training.step()));
    row.push_back(absl::StrCat(gossip.exchanges_committed()));
    row.push_back(absl::StrCat(gossip.exchanges_answered()));
    if (with_rounds) {
      row.push_back(absl::StrCat(peer.status.rounds().rounds_complete()));
      row.push_back(peer.centre ? "-" : ShareText(training.waiting_time_share()));
    }
    row.push_back(BytesText(gossip.bytes_sent()));
    row.push_back(BytesText(gossip.bytes_received()));
  } else {
    row.resize(with_rounds ? 9 : 7, "-");
  }
  row.push_back(Story(peer));
  table.AddRow(std::move(row));
}

bool ExchangesNothing(const DemoReport& report) {
  return report.options.algorithm == "none" ||
         absl::StartsWith(report.options.algorithm, "none:");
}

std::string Verdict(const DemoReport& report) {
  if (!ExchangesNothing(report) || !report.averaged) return "";
  const std::optional<double> mean = MeanAccuracy(report);
  if (!mean) return "";
  const double difference = report.averaged->test_accuracy() - *mean;
  return absl::StrCat(
      "no exchange: the averaged model of peers that never met is ", PointsText(difference),
      " their mean; --algorithm=elastic_gossip lets them meet");
}

std::string LogText(const DemoReport& report) {
  if (report.log_lines.empty()) return "";
  std::string text = absl::StrCat("last lines of the log of ", report.log_name, ":\n");
  for (const std::string& line : report.log_lines) absl::StrAppend(&text, "  ", line, "\n");
  return text;
}

std::string AveragedText(const DemoReport& report) {
  if (!report.averaged) {
    return report.averaged_error.empty() ? "not evaluated"
                                         : absl::StrCat("unknown: ", report.averaged_error);
  }
  std::string text = absl::StrCat(
      AccuracyText(report.averaged->test_accuracy()), " over ", report.averaged->peer_ids_size(),
      " peers, consensus distance ", NumberText(report.averaged->consensus_distance()));
  for (const std::string& missing : report.averaged->missing()) {
    absl::StrAppend(&text, "; missing: ", OneLine(missing));
  }
  return text;
}

}  // namespace

std::optional<double> MeanAccuracy(const DemoReport& report) {
  const std::vector<double> accuracies = Accuracies(report);
  if (accuracies.empty()) return std::nullopt;
  double sum = 0;
  for (const double accuracy : accuracies) sum += accuracy;
  return sum / static_cast<double>(accuracies.size());
}

std::optional<double> LowestAccuracy(const DemoReport& report) {
  const std::vector<double> accuracies = Accuracies(report);
  if (accuracies.empty()) return std::nullopt;
  return *std::min_element(accuracies.begin(), accuracies.end());
}

uint64_t TotalBytesSent(const DemoReport& report) {
  uint64_t bytes = 0;
  for (const DemoPeer& peer : report.peers) bytes += peer.status.gossip().bytes_sent();
  return bytes;
}

double BytesSentPerWorker(const DemoReport& report) {
  return MeanOverWorkers(report, [](const v1::Status& status) {
    return static_cast<double>(status.gossip().bytes_sent());
  });
}

double WaitingShare(const DemoReport& report) {
  return MeanOverWorkers(
      report, [](const v1::Status& status) { return status.training().waiting_time_share(); });
}

std::string OutcomeWord(DemoOutcome outcome) {
  switch (outcome) {
    case DemoOutcome::kFinished: return "finished";
    case DemoOutcome::kTimedOut: return "timed out";
    case DemoOutcome::kNotStarted: return "not started";
    case DemoOutcome::kNobodyLeft: return "nobody left";
    case DemoOutcome::kInterrupted: return "interrupted";
  }
  return "";
}

std::vector<std::string> Problems(const DemoReport& report) {
  std::vector<std::string> problems;
  if (report.outcome != DemoOutcome::kFinished) {
    problems.push_back(absl::StrCat(OutcomeWord(report.outcome), ": ", report.reason));
  }
  // One cause is enough: what else ended, ended because of it.
  if (report.outcome == DemoOutcome::kNotStarted) return problems;
  // After an early end, what is missing is no news.
  const bool complete = report.outcome == DemoOutcome::kFinished;
  if (!report.coordinator_failure.empty()) {
    problems.push_back(absl::StrCat("the coordinator ended: ", report.coordinator_failure));
  }
  for (const DemoPeer& peer : report.peers) {
    if (!peer.failure.empty()) {
      problems.push_back(absl::StrCat(peer.name, " ended: ", peer.failure));
    } else if (peer.killed && !peer.death && complete) {
      problems.push_back(absl::StrCat(peer.name, " was killed, but nobody reported it as dead"));
    } else if (!peer.killed && !peer.left && !peer.newcomer && !peer.centre &&
               !peer.Evaluated() && complete) {
      problems.push_back(absl::StrCat(peer.name, " did not evaluate its model in time"));
    } else if (peer.newcomer && !peer.first_step && complete) {
      problems.push_back(absl::StrCat(peer.name, " joined, but did not come to train"));
    }
  }
  const bool newcomer = std::any_of(report.peers.begin(), report.peers.end(),
                                    [](const DemoPeer& peer) { return peer.newcomer; });
  if (report.options.churn && complete && !newcomer) {
    problems.push_back("the newcomer could not be started");
  }
  if (!report.averaged && complete) {
    problems.push_back(
        absl::StrCat("the averaged model could not be evaluated: ", report.averaged_error));
  }
  return problems;
}

int DemoExitCode(const DemoReport& report) {
  switch (report.outcome) {
    case DemoOutcome::kInterrupted: return ExitCodeForSignal(report.signal);
    case DemoOutcome::kTimedOut: return kExitTryAgain;
    case DemoOutcome::kNotStarted:
      // Daemons share our exit codes; anything outside them says only that it failed.
      return report.startup_exit_code >= kExitUsage && report.startup_exit_code <= kExitConfig
                 ? report.startup_exit_code
                 : kExitUnavailable;
    case DemoOutcome::kNobodyLeft: return kExitInternal;
    case DemoOutcome::kFinished: break;
  }
  return Problems(report).empty() ? kExitOk : kExitInternal;
}

std::string RenderReport(const DemoReport& report) {
  if (report.outcome == DemoOutcome::kNotStarted) {
    return absl::StrCat("starling: ", Problems(report)[0], "\n", LogText(report));
  }
  std::vector<Column> columns = {{"peer", Align::kLeft}, {"accuracy"}, {"steps"}, {"exchanges"},
                                 {"answered"},           {"sent"},     {"received"},
                                 {"state", Align::kLeft}};
  const bool with_rounds = HasRounds(report);
  if (with_rounds) columns.insert(columns.begin() + 5, {{"rounds"}, {"waiting"}});
  Table table(std::move(columns));
  for (const DemoPeer& peer : report.peers) AddPeer(peer, with_rounds, table);
  std::string text =
      absl::StrCat(table.ToString(), "\naveraged model  ", AveragedText(report), "\n");
  if (const std::optional<double> mean = MeanAccuracy(report)) {
    const double lowest = *LowestAccuracy(report);
    absl::StrAppend(&text, "peers           mean ", AccuracyText(*mean), ", lowest ",
                    AccuracyText(lowest));
    if (report.averaged) {
      absl::StrAppend(&text, " (", PointsText(lowest - report.averaged->test_accuracy()),
                      " the averaged model)");
    }
    absl::StrAppend(&text, "\n");
  }
  absl::StrAppend(&text, "traffic         ", BytesText(TotalBytesSent(report)), " in ",
                  DurationText(report.wall_time), ", algorithm ", report.options.algorithm,
                  ", seed ", report.options.seed, "\n");
  if (const std::string verdict = Verdict(report); !verdict.empty()) {
    absl::StrAppend(&text, "verdict         ", verdict, "\n");
  }
  for (const std::string& problem : Problems(report)) {
    absl::StrAppend(&text, "problem         ", problem, "\n");
  }
  return absl::StrCat(text, LogText(report));
}

std::string RenderComparison(const DemoReport& first, const DemoReport& second) {
  if (!first.averaged || !second.averaged) {
    return "difference      unknown: one of the two has no averaged model\n";
  }
  Table table({{"algorithm", Align::kLeft}, {"averaged model"}, {"mean of peers"}, {"lowest peer"},
               {"distance"}, {"sent"}});
  for (const DemoReport* report : {&first, &second}) {
    table.AddRow({report->options.algorithm, AccuracyText(report->averaged->test_accuracy()),
                  AccuracyText(MeanAccuracy(*report).value_or(0)),
                  AccuracyText(LowestAccuracy(*report).value_or(0)),
                  NumberText(report->averaged->consensus_distance()),
                  BytesText(TotalBytesSent(*report))});
  }
  return absl::StrCat(
      table.ToString(), "\ndifference      the averaged model of ", first.options.algorithm, " is ",
      PointsText(first.averaged->test_accuracy() - second.averaged->test_accuracy()), " that of ",
      second.options.algorithm, "\n");
}

}  // namespace starling
