#include "peer/cli/demo_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "peer/cli/words.h"

namespace starling {
namespace {

constexpr double kKillAt = 1.0 / 3;
constexpr double kStartNewcomerAt = 2.0 / 3;

DemoAction Finish(DemoOutcome outcome, std::string reason = "", int culprit = -1) {
  return {.kind = DemoAction::Kind::kFinish,
          .outcome = outcome,
          .reason = std::move(reason),
          .culprit = culprit};
}

bool IsLivingOriginal(const DemoPeer& peer) {
  return peer.running && !peer.newcomer && !peer.centre;
}

double ProgressOf(const std::vector<DemoPeer>& peers) {
  double sum = 0;
  int counted = 0;
  for (const DemoPeer& peer : peers) {
    if (!IsLivingOriginal(peer)) continue;
    const v1::TrainingStatus& training = peer.status.training();
    if (training.total_steps() > 0) {
      sum += std::min(1.0, static_cast<double>(training.step()) / training.total_steps());
    }
    ++counted;
  }
  return counted == 0 ? 0 : sum / counted;
}

}  // namespace

DemoPlan::DemoPlan(const Options& options, absl::Time now) : options_(options), start_(now) {}

std::vector<DemoAction> DemoPlan::Observe(absl::Time now, const std::vector<DemoPeer>& peers) {
  if (over_) return {};
  progress_ = std::max(progress_, ProgressOf(peers));
  const auto finish = [this](DemoAction action) {
    over_ = true;
    return std::vector<DemoAction>{std::move(action)};
  };
  if (!started_) {
    if (std::optional<DemoAction> action = CheckStart(now, peers)) return finish(*action);
  }
  const auto running = [](const DemoPeer& peer) { return peer.running && !peer.centre; };
  if (std::none_of(peers.begin(), peers.end(), running)) {
    const auto failed = std::find_if(peers.begin(), peers.end(),
                                     [](const DemoPeer& peer) { return !peer.failure.empty(); });
    return finish(Finish(DemoOutcome::kNobodyLeft, "every peer ended before the training was done",
                         failed == peers.end() ? -1 : static_cast<int>(failed - peers.begin())));
  }
  if (now >= options_.deadline) {
    return finish(Finish(
        DemoOutcome::kTimedOut,
        absl::StrCat("the time was up after ", DurationText(now - start_),
                     "; --timeout gives more, --epochs asks for less, --pace=0 lifts the limit")));
  }
  if (!started_) return {};
  if (std::vector<DemoAction> actions = Churn(peers); !actions.empty()) return actions;
  if (Settled(now, peers)) return finish(Finish(DemoOutcome::kFinished));
  return {};
}

std::optional<DemoAction> DemoPlan::CheckStart(absl::Time now,
                                               const std::vector<DemoPeer>& peers) {
  std::vector<std::string> missing;
  int culprit = -1;
  for (size_t i = 0; i < peers.size(); ++i) {
    if (!peers[i].failure.empty()) {
      return Finish(DemoOutcome::kNotStarted,
                    absl::StrCat(peers[i].name, " ended before it trained: ", peers[i].failure),
                    static_cast<int>(i));
    }
    if (peers[i].Trains()) continue;
    missing.push_back(peers[i].name);
    if (culprit < 0) culprit = static_cast<int>(i);
  }
  if (missing.empty()) {
    started_ = true;
    return std::nullopt;
  }
  if (now - start_ < options_.start_wait) return std::nullopt;
  return Finish(DemoOutcome::kNotStarted,
                absl::StrCat("after ", DurationText(now - start_), " still not training: ",
                             absl::StrJoin(missing, ", ")),
                culprit);
}

std::vector<DemoAction> DemoPlan::Churn(const std::vector<DemoPeer>& peers) {
  std::vector<DemoAction> actions;
  if (!options_.churn) return actions;
  if (!kill_done_ && progress_ >= kKillAt) {
    kill_done_ = true;
    // The last one, unless it is the only one: the demo is about those that go on.
    if (std::count_if(peers.begin(), peers.end(), IsLivingOriginal) > 1) {
      const auto last = std::find_if(peers.rbegin(), peers.rend(), IsLivingOriginal);
      actions.push_back({.kind = DemoAction::Kind::kKill,
                         .peer = static_cast<int>(peers.rend() - last) - 1});
    }
  }
  if (!newcomer_done_ && progress_ >= kStartNewcomerAt) {
    newcomer_done_ = true;
    actions.push_back({.kind = DemoAction::Kind::kStartNewcomer});
  }
  return actions;
}

bool DemoPlan::Settled(absl::Time now, const std::vector<DemoPeer>& peers) {
  // Newcomers count if nobody else is left.
  const bool originals_left = std::any_of(peers.begin(), peers.end(), IsLivingOriginal);
  for (const DemoPeer& peer : peers) {
    if (!peer.running || peer.centre || (peer.newcomer && originals_left)) continue;
    if (!peer.Finished()) return false;
  }
  if (!all_finished_at_) all_finished_at_ = now;
  if (now - *all_finished_at_ >= options_.settle_wait) return true;
  return std::all_of(peers.begin(), peers.end(), [](const DemoPeer& peer) {
    return (!peer.running || peer.centre || peer.Evaluated()) && (!peer.killed || peer.death.has_value());
  });
}

}  // namespace starling
