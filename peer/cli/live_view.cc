#include "peer/cli/live_view.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/cli/ansi.h"
#include "peer/cli/table.h"
#include "peer/cli/words.h"
#include "peer/runtime/one_line.h"

namespace starling {
namespace {

constexpr int kBarWidth = 30;

Ink InkOf(const LivePeer& peer) {
  if (!peer.note.empty()) return Ink::kRed;
  if (!peer.known) return Ink::kDim;
  switch (peer.status.phase()) {
    case v1::PHASE_TRAINING: return Ink::kGreen;
    case v1::PHASE_FINISHED: return Ink::kBold;
    default: return Ink::kYellow;
  }
}

std::string StateOf(const LivePeer& peer) {
  if (!peer.note.empty()) return OneLine(peer.note);
  if (!peer.known) return "starting";
  const bool serves_centre =
      peer.status.centre() && peer.status.phase() == v1::PHASE_TRAINING;
  return serves_centre ? "centre" : PhaseWord(peer.status.phase());
}

std::string StepText(const v1::TrainingStatus& training) {
  if (training.total_steps() == 0) return absl::StrCat(training.step());
  return absl::StrCat(training.step(), "/", training.total_steps());
}

bool HasRounds(const LiveFrame& frame) {
  return std::any_of(frame.peers.begin(), frame.peers.end(), [](const LivePeer& peer) {
    return peer.status.rounds().rounds_joined() > 0;
  });
}

std::vector<std::string> Row(const LivePeer& peer, bool with_rounds, bool colour) {
  std::vector<std::string> row = {OneLine(peer.name), Paint(InkOf(peer), StateOf(peer), colour)};
  if (!peer.known) return row;
  const v1::TrainingStatus& training = peer.status.training();
  const v1::GossipStatus& gossip = peer.status.gossip();
  if (peer.status.centre()) {
    row.insert(row.end(), 3, "-");  // it makes no steps; what it says is its donor's
  } else {
    row.push_back(StepText(training));
    row.push_back(absl::StrFormat("%.0f", training.samples_per_second()));
    row.push_back(NumberText(training.loss()));
  }
  row.push_back(absl::StrCat(gossip.exchanges_committed()));
  if (with_rounds) {
    row.push_back(absl::StrCat(peer.status.rounds().rounds_complete()));
    row.push_back(ShareText(training.waiting_time_share()));
  }
  row.push_back(NumberText(gossip.consensus_distance()));
  row.push_back(absl::StrCat(MembersSeen(peer.status)));
  return row;
}

std::string Header(const LiveFrame& frame, bool colour) {
  std::string text = Paint(Ink::kBold, absl::StrCat("starling ", frame.title), colour);
  if (!frame.run_id.empty()) absl::StrAppend(&text, "  run ", OneLine(frame.run_id));
  if (!frame.algorithm.empty()) absl::StrAppend(&text, "  ", frame.algorithm);
  absl::StrAppend(&text, "  ", DurationText(frame.elapsed));
  return text;
}

}  // namespace

double MeanProgress(const std::vector<LivePeer>& peers) {
  double sum = 0;
  int counted = 0;
  for (const LivePeer& peer : peers) {
    const v1::TrainingStatus& training = peer.status.training();
    if (!peer.known || !peer.note.empty() || peer.status.centre() ||
        training.total_steps() == 0) {
      continue;
    }
    sum += static_cast<double>(training.step()) / static_cast<double>(training.total_steps());
    ++counted;
  }
  return counted == 0 ? -1 : std::min(1.0, sum / counted);
}

int MembersSeen(const v1::Status& status) {
  return static_cast<int>(std::count_if(
      status.peers().begin(), status.peers().end(), [](const v1::PeerStatus& peer) {
        return IsPresent(peer.state());
      }));
}

std::string ProgressBar(double share, int width) {
  const int full = static_cast<int>(std::floor(std::clamp(share, 0.0, 1.0) * width));
  return absl::StrCat("[", std::string(full, '#'), std::string(width - full, '.'), "]");
}

std::vector<std::string> RenderFrame(const LiveFrame& frame, bool colour) {
  std::vector<std::string> lines = {Header(frame, colour)};
  if (frame.progress >= 0) {
    lines.push_back(absl::StrCat(ProgressBar(frame.progress, kBarWidth),
                                 absl::StrFormat(" %3.0f %%", std::floor(100 * frame.progress))));
  }
  if (!frame.hint.empty()) lines.push_back(Paint(Ink::kDim, OneLine(frame.hint), colour));
  lines.push_back("");
  std::vector<Column> columns = {{"peer", Align::kLeft}, {"state", Align::kLeft}, {"step"},
                                 {"samples/s"},          {"loss"},                {"exchanges"},
                                 {"distance"},           {"members"}};
  const bool with_rounds = HasRounds(frame);
  if (with_rounds) columns.insert(columns.begin() + 6, {{"rounds"}, {"waiting"}});
  Table table(std::move(columns));
  for (const LivePeer& peer : frame.peers) table.AddRow(Row(peer, with_rounds, colour));
  for (std::string& line : table.Lines()) lines.push_back(std::move(line));
  return lines;
}

std::string RenderLine(const LiveFrame& frame) {
  double samples_per_second = 0;
  double loss = 0;
  double distance = 0;
  uint64_t exchanges = 0;
  uint64_t rounds = 0;
  int active = 0;
  for (const LivePeer& peer : frame.peers) {
    if (!peer.known || !peer.note.empty() || peer.status.centre()) continue;
    ++active;
    samples_per_second += peer.status.training().samples_per_second();
    loss += peer.status.training().loss();
    distance += peer.status.gossip().consensus_distance();
    exchanges += peer.status.gossip().exchanges_committed();
    rounds = std::max<uint64_t>(rounds, peer.status.rounds().rounds_complete());
  }
  std::string text = absl::StrFormat("%8s", DurationText(frame.elapsed));
  if (frame.progress >= 0) {
    absl::StrAppend(&text, absl::StrFormat("  %3.0f %%", std::floor(100 * frame.progress)));
  }
  if (active == 0) return absl::StrCat(text, "  starting");
  absl::StrAppend(&text,
                  absl::StrFormat("  peers %d  samples/s %.0f  loss %s  exchanges %d  distance %s",
                                  active, samples_per_second, NumberText(loss / active),
                                  exchanges, NumberText(distance / active)));
  if (rounds > 0) absl::StrAppend(&text, "  rounds ", rounds);
  for (const LivePeer& peer : frame.peers) {
    if (!peer.note.empty()) {
      absl::StrAppend(&text, "  ", OneLine(peer.name), ": ", OneLine(peer.note));
    }
  }
  return text;
}

}  // namespace starling
