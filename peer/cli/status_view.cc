#include "peer/cli/status_view.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "peer/algorithms/registry.h"
#include "peer/cli/limits_view.h"
#include "peer/cli/live_view.h"
#include "peer/cli/table.h"
#include "peer/cli/words.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

// Names of deadlines that others send may be longer, and are then out of line.
constexpr size_t kWidestName = 40;

using Counts = google::protobuf::RepeatedPtrField<v1::RefusalCount>;

class Group {
 public:
  explicit Group(const std::string& title, size_t longest_name = 0)
      : text_(absl::StrCat(title, "\n")),
        width_(static_cast<int>(std::max(kNarrowest, longest_name + 1))) {}

  Group& Line(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text_, absl::StrFormat("  %-*s %s\n", width_, absl::StrCat(name, ":"),
                                            value.empty() ? "-" : value));
    return *this;
  }
  Group& Line(absl::string_view name, uint64_t value) { return Line(name, absl::StrCat(value)); }
  const std::string& text() const { return text_; }

 private:
  static constexpr size_t kNarrowest = 22;
  std::string text_;
  int width_;
};

std::string RefusalsText(const Counts& counts) {
  std::vector<std::string> parts;
  for (const v1::RefusalCount& count : counts) {
    parts.push_back(absl::StrCat(count.count(), " ", RefusalWord(count.reason())));
  }
  std::string text;
  for (const std::string& part : parts) absl::StrAppend(&text, text.empty() ? "" : ", ", part);
  return text.empty() ? "none" : text;
}

std::string RoundsText(const v1::AveragingStatus& rounds) {
  return absl::StrFormat("%d joined: %d complete, %d partial", rounds.rounds_joined(),
                         rounds.rounds_complete(), rounds.rounds_partial());
}

std::string Daemon(const v1::Status& status) {
  Group group("daemon");
  group.Line("role", status.centre() ? "peer, holds the centre and does not train"
                                     : RoleWord(status.role()));
  if (status.role() != v1::ROLE_COORDINATOR) {
    group.Line("peer id", OneLine(status.peer_id()))
        .Line("phase", PhaseWord(status.phase()))
        .Line("slot", status.slot());
  }
  return group.Line("address", OneLine(status.address()))
      .Line("run id", OneLine(status.run_id()))
      .Line("version", OneLine(status.version()))
      .Line("up for", DurationText(absl::Seconds(status.uptime_seconds())))
      .Line("members present", MembersSeen(status))
      .Line("last error", status.last_error().empty() ? "none" : OneLine(status.last_error()))
      .text();
}

std::string Training(const v1::TrainingStatus& training) {
  return Group("training")
      .Line("step", training.total_steps() == 0
                        ? absl::StrCat(training.step())
                        : absl::StrCat(training.step(), " of ", training.total_steps()))
      .Line("epochs", NumberText(training.epochs()))
      .Line("speed", absl::StrFormat("%.0f samples/s, %.1f steps/s", training.samples_per_second(),
                                     training.steps_per_second()))
      .Line("loss", NumberText(training.loss()))
      .Line("test accuracy",
            training.evaluated()
                ? absl::StrCat(AccuracyText(training.test_accuracy()), " at step ",
                               training.evaluated_step())
                : "not evaluated yet")
      .Line("time spent mixing", ShareText(training.mixing_time_share()))
      .Line("time spent waiting", ShareText(training.waiting_time_share()))
      .Line("parameters", training.parameters())
      .Line("local examples", training.train_examples())
      .Line("threads", training.threads())
      .text();
}

// "requests fp32, replies int8; 40.0 MB sent instead of 64.0 MB".
std::string CodecsText(const v1::GossipStatus& gossip) {
  std::vector<std::string> halves;
  if (!gossip.request_codec().empty()) {
    halves.push_back(absl::StrCat("requests ", gossip.request_codec()));
  }
  if (!gossip.reply_codec().empty()) {
    halves.push_back(absl::StrCat("replies ", gossip.reply_codec()));
  }
  std::string text = absl::StrJoin(halves, ", ");
  if (gossip.bytes_sent_as_fp32() > gossip.bytes_sent()) {
    absl::StrAppend(&text, "; ", BytesText(gossip.bytes_sent()), " sent instead of ",
                    BytesText(gossip.bytes_sent_as_fp32()));
  }
  return text.empty() ? "fp32" : text;
}

std::string Gossip(const v1::GossipStatus& gossip) {
  Group group("gossip");
  group.Line("exchanges", absl::StrFormat("%d started: %d committed, %d partial, %d failed",
                                         gossip.exchanges_started(), gossip.exchanges_committed(),
                                         gossip.exchanges_partial(), gossip.exchanges_failed()))
      .Line("answered", absl::StrCat(gossip.exchanges_answered(), " exchanges of others"))
      .Line("sent, received", absl::StrCat(BytesText(gossip.bytes_sent()), ", ",
                                           BytesText(gossip.bytes_received())))
      .Line("written as", CodecsText(gossip))
      .Line("exchange takes", absl::StrFormat("%.1f ms", 1000 * gossip.exchange_seconds()))
      .Line("consensus distance", NumberText(gossip.consensus_distance()))
      .Line("orphaned deltas", absl::StrCat(gossip.orphaned_deltas(), ", norm ",
                                            NumberText(gossip.orphaned_delta_norm())))
      .Line("refused by this peer", RefusalsText(gossip.refused()))
      .Line("refused by others", RefusalsText(gossip.refusals()));
  // 0 is what a daemon without push-sum says.
  if (gossip.mass() != 0 && gossip.mass() != 1) {
    group.Line("push-sum weight", NumberText(gossip.mass()));
  }
  return group.text();
}

std::string Limits(const v1::BudgetStatus& budget) {
  Group group("limits");
  for (const auto& [name, value] : LimitLines(budget)) group.Line(name, value);
  return group.text();
}

bool HasRounds(const v1::Status& status) {
  const absl::StatusOr<Algorithm> algorithm = MakeAlgorithm(status.config().algorithm());
  return status.rounds().rounds_joined() > 0 || (algorithm.ok() && !algorithm->rounds.empty());
}

// The algorithm's own.
std::string Rounds(const v1::AveragingStatus& rounds) {
  return Group("rounds")
      .Line("rounds", RoundsText(rounds))
      .Line("round takes", absl::StrFormat("%.1f ms", 1000 * rounds.round_seconds()))
      .text();
}

std::string Averaging(const v1::AveragingStatus& averaging) {
  return Group("global averaging")
      .Line("rounds", RoundsText(averaging))
      .Line("shards", absl::StrFormat("%d applied, %d missed", averaging.shards_applied(),
                                      averaging.shards_missed()))
      .text();
}

std::string Detector(const v1::DetectorStatus& detector) {
  return Group("failure detector")
      .Line("looked for members", absl::StrFormat("%d times, %d in vain, %d for others",
                                                  detector.probes(), detector.probe_failures(),
                                                  detector.helped()))
      .Line("suspicions, deaths", absl::StrCat(detector.suspicions(), ", ", detector.deaths()))
      .Line("own death denied", absl::StrCat(detector.refutations(), " times"))
      .Line("own health", detector.health() == 0
                              ? "good"
                              : absl::StrCat("strained: all patience times ", 1 + detector.health()))
      .Line("own standstills", detector.own_pauses())
      .Line("network split", detector.partition_suspected() ? "suspected" : "no sign of it")
      .text();
}

// Of this peer's own doing: what was not finite, and what became of it.
std::string Recovery(const v1::RecoveryStatus& recovery) {
  Group group("recovery");
  if (recovery.rollbacks() == 0) return group.Line("roll-backs", "none").text();
  return group
      .Line("roll-backs", absl::StrFormat("%d, %d in a row, the last at step %d: %s",
                                          recovery.rollbacks(), recovery.in_a_row(),
                                          recovery.last_step(), OneLine(recovery.last_reason())))
      .Line("learning rate", absl::StrCat("times ", NumberText(recovery.rate_scale()), " since"))
      .text();
}

// Of others' doing.
std::string BadData(const v1::Status& status) {
  Group group("bad data of others");
  group.Line("offences, quarantines",
             absl::StrCat(status.gossip().offences(), ", ", status.gossip().quarantines()));
  for (const v1::PeerStatus& peer : status.peers()) {
    if (peer.state() == v1::PEER_STATE_QUARANTINED) {
      group.Line(OneLine(peer.peer_id()),
                 absl::StrCat("not listened to for ",
                              DurationText(absl::Seconds(peer.quarantined_seconds_left())), ": ",
                              OneLine(peer.reason())));
    } else if (peer.offences() > 0) {
      group.Line(OneLine(peer.peer_id()),
                 absl::StrCat(peer.offences(), " within the last ten minutes"));
    }
  }
  return group.text();
}

std::string Deadlines(const v1::Status& status) {
  size_t longest = 0;
  for (const v1::EffectiveValue& value : status.effective()) {
    longest = std::max(longest, std::min(value.name().size(), kWidestName));
  }
  Group group("in effect", longest);
  for (const v1::EffectiveValue& value : status.effective()) {
    group.Line(OneLine(value.name()),
               absl::StrFormat("%.2f s (%s)", value.seconds(), OneLine(value.source(), 400)));
  }
  return group.text();
}

std::string Checkpoints(const v1::CheckpointStatus& checkpoint) {
  if (!checkpoint.enabled()) return "";
  Group group("checkpoints");
  group.Line("saved", checkpoint.saved() == 0
                          ? "none yet"
                          : absl::StrCat(checkpoint.saved(), ", the last of step ",
                                         checkpoint.last_step(), " at ",
                                         absl::FormatTime(absl::RFC3339_sec,
                                                          absl::FromUnixSeconds(
                                                              checkpoint.last_saved_unix_seconds()),
                                                          absl::UTCTimeZone())));
  if (checkpoint.failed() > 0) group.Line("failed", checkpoint.failed());
  if (!checkpoint.last_error().empty()) group.Line("last error", OneLine(checkpoint.last_error()));
  return group.text();
}

std::string Coordinator(const v1::Status& status) {
  const v1::CoordinatorStatus& coordinator = status.coordinator();
  Group group("coordinator");
  if (status.role() != v1::ROLE_COORDINATOR) {
    if (!coordinator.configured()) {
      return group.Line("address", "none, peers keep to themselves").text();
    }
    group.Line("address", OneLine(coordinator.address()))
        .Line("connected", coordinator.connected() ? "yes" : "no, training goes on without")
        .Line("lease", DurationText(absl::Seconds(coordinator.lease_seconds_left())));
  }
  return group.Line("epoch", coordinator.epoch())
      .Line("rounds planned", coordinator.rounds_planned())
      .text();
}

std::string Configuration(const v1::RunConfig& config) {
  const v1::DataConfig& data = config.data();
  Group group("run configuration");
  group.Line("name", OneLine(config.name()))
      .Line("model", OneLine(config.model().name()))
      .Line("data", absl::StrCat(OneLine(data.name()), " in ", data.parts(), " parts, ",
                                 data.dirichlet_alpha() > 0
                                     ? absl::StrCat("Dirichlet(", data.dirichlet_alpha(), ")")
                                     : "even"))
      .Line("algorithm", AlgorithmText(config.algorithm()))
      .Line("optimizer",
            absl::StrCat(OneLine(config.optimizer().name()), ", learning rate ",
                         config.optimizer().learning_rate() > 0
                             ? absl::StrCat(config.optimizer().learning_rate())
                             : "its default"))
      .Line("epochs", config.epochs() == 0 ? "for ever" : absl::StrCat(config.epochs()))
      .Line("batch size", config.batch_size())
      .Line("averaging period", config.averaging().period_steps() == 0
                                    ? "never"
                                    : absl::StrCat(config.averaging().period_steps(), " steps"))
      .Line("final merge", config.final_merge() ? "yes" : "no")
      .Line("min peers", config.min_peers())
      .Line("seed", config.seed());
  return group.text();
}

}  // namespace

std::string RenderStatus(const v1::Status& status) {
  std::string text = Daemon(status);
  if (status.role() != v1::ROLE_COORDINATOR) {
    absl::StrAppend(&text, Training(status.training()), Gossip(status.gossip()),
                    Limits(status.gossip().budget()),
                    HasRounds(status) ? Rounds(status.rounds()) : "",
                    Averaging(status.averaging()), Checkpoints(status.checkpoint()),
                    Recovery(status.recovery()), BadData(status), Detector(status.detector()),
                    status.effective_size() > 0 ? Deadlines(status) : "");
  }
  absl::StrAppend(&text, Coordinator(status), Configuration(status.config()));
  return text;
}

std::string RenderPeers(const v1::ListPeersResponse& peers) {
  std::vector<const v1::PeerStatus*> rows;
  for (const v1::PeerStatus& peer : peers.peers()) rows.push_back(&peer);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const v1::PeerStatus* left, const v1::PeerStatus* right) {
                     const auto key = [](const v1::PeerStatus* row) {
                       return std::make_pair(!IsPresent(row->state()), row->slot());
                     };
                     return key(left) < key(right);
                   });
  Table table({{"peer", Align::kLeft},
               {"address", Align::kLeft},
               {"state", Align::kLeft},
               {"slot"},
               {"step"},
               {"rtt"},
               {"lag"},
               {"reason", Align::kLeft}});
  for (const v1::PeerStatus* row : rows) {
    table.AddRow({absl::StrCat(OneLine(row->peer_id()), row->self() ? " (self)" : ""),
                  OneLine(row->address()), StateWord(row->state()), absl::StrCat(row->slot()),
                  absl::StrCat(row->step()),
                  row->rtt_ms() > 0 ? absl::StrFormat("%.1f ms", row->rtt_ms()) : "-",
                  row->straggler_score() > 0 ? absl::StrFormat("%.1f", row->straggler_score()) : "-",
                  OneLine(row->reason())});
  }
  return table.ToString();
}

}  // namespace starling
