#include "peer/cli/demo_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "peer/cli/demo_plan.h"
#include "peer/cli/live_view.h"
#include "peer/cli/words.h"

namespace starling {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(250);
// Between lines where nothing can be redrawn.
constexpr absl::Duration kLineEvery = absl::Seconds(2);
constexpr absl::Duration kEvaluationWait = absl::Seconds(60);
// An evaluation may overrun the deadline by this much, or the whole demo would be for nothing.
constexpr absl::Duration kLeastEvaluationWait = absl::Seconds(5);

// As our programs word the error that ends them.
bool IsComplaint(const std::string& line) {
  return absl::StartsWith(line, "peerd: ") || absl::StartsWith(line, "coordinatord: ");
}

class Run {
 public:
  Run(const DemoSwarm::Options& options, absl::Time deadline, const StopSignal& stop,
      LiveScreen& screen)
      : start_(absl::Now()),
        deadline_(deadline),
        stop_(stop),
        screen_(screen),
        swarm_(options, &stop),
        plan_({.churn = options.demo.churn, .deadline = deadline}, start_) {
    report_.options = options.demo;
  }

  DemoReport Go() {
    if (absl::Status status = swarm_.Start(); status.ok()) {
      screen_.Say(absl::StrCat("coordinator at ", swarm_.coordinator_address(),
                               "; in another terminal: starling top --endpoint=",
                               swarm_.coordinator_address()));
      while (!over_) Tick();
    } else if (stop_.number() == 0) {
      NotStarted(std::string(status.message()), "coordinatord", swarm_.coordinator_exit_code());
    }
    if (stop_.number() != 0) Interrupted();
    if (report_.outcome == DemoOutcome::kFinished) Evaluate();
    report_.wall_time = absl::Now() - start_;
    screen_.Erase();
    swarm_.Stop();
    report_.peers = swarm_.peers();
    report_.coordinator_failure = swarm_.coordinator_failure();
    AttachLog();
    return std::move(report_);
  }

 private:
  void Tick() {
    stop_.Sleep(kTick);
    if (stop_.number() != 0) {
      over_ = true;
      return;
    }
    swarm_.Poll();
    if (!plan_.started() && !swarm_.coordinator_failure().empty()) {
      NotStarted(absl::StrCat("coordinatord ended: ", swarm_.coordinator_failure()),
                 "coordinatord", swarm_.coordinator_exit_code());
      over_ = true;
      return;
    }
    TellNews();
    for (const DemoAction& action : plan_.Observe(absl::Now(), swarm_.peers())) Do(action);
    Show();
  }

  void Do(const DemoAction& action) {
    switch (action.kind) {
      case DemoAction::Kind::kKill:
        swarm_.Kill(action.peer);
        Tell(absl::StrCat(swarm_.peers()[action.peer].name, " killed with SIGKILL at step ",
                          swarm_.peers()[action.peer].status.training().step()));
        break;
      case DemoAction::Kind::kStartNewcomer:
        if (absl::Status status = swarm_.AddNewcomer(); status.ok()) {
          Tell(absl::StrCat(swarm_.peers().back().name, " started"));
        } else {
          Tell(absl::StrCat("the newcomer could not be started: ", status.message()));
        }
        break;
      case DemoAction::Kind::kFinish:
        over_ = true;
        report_.outcome = action.outcome;
        report_.reason = action.reason;
        if (action.culprit >= 0) {
          const DemoPeer& culprit = swarm_.peers()[action.culprit];
          report_.startup_exit_code = culprit.failure_exit_code;
          report_.log_name = culprit.name;
        }
        break;
    }
  }

  // What happened to single peers since the last tick, one line each that stays on the screen.
  void TellNews() {
    told_.resize(swarm_.peers().size());
    for (size_t i = 0; i < told_.size(); ++i) {
      const DemoPeer& peer = swarm_.peers()[i];
      if (peer.death && !std::exchange(told_[i].death, true)) {
        Tell(absl::StrCat(peer.name, " reported ", peer.death->state, " by ",
                          peer.death->reported_by, ": ", peer.death->reason));
      }
      if (peer.newcomer && peer.first_step && !std::exchange(told_[i].joined, true)) {
        Tell(absl::StrCat(peer.name, " joined at step ", *peer.first_step));
      }
      if (peer.left && !std::exchange(told_[i].left, true)) Tell(absl::StrCat(peer.name, " left"));
      if (!peer.failure.empty() && !std::exchange(told_[i].failure, true)) {
        Tell(absl::StrCat(peer.name, " ended unasked: ", peer.failure));
      }
    }
  }

  void Tell(const std::string& news) {
    screen_.Say(absl::StrCat("  * ", DurationText(absl::Now() - start_), "  ", news));
  }

  LiveFrame Frame() const {
    LiveFrame frame = {.title = "demo",
                       .elapsed = absl::Now() - start_,
                       .progress = plan_.started() ? plan_.progress() : -1};
    for (const DemoPeer& peer : swarm_.peers()) {
      LivePeer row = {.name = peer.name, .known = peer.known, .status = peer.status};
      // It does not say so itself before it has joined.
      if (peer.centre) row.status.set_centre(true);
      if (peer.killed) {
        row.note = peer.death ? "killed, DEAD" : "killed";
      } else if (peer.left) {
        row.note = "left";
      } else if (!peer.failure.empty()) {
        row.note = "ended";
      } else if (peer.known && !peer.answered) {
        row.note = "no answer";
      }
      if (peer.known && frame.run_id.empty()) {
        frame.run_id = peer.status.run_id();
        frame.algorithm = AlgorithmText(peer.status.config().algorithm());
      }
      frame.peers.push_back(std::move(row));
    }
    return frame;
  }

  void Show() {
    if (screen_.live()) {
      screen_.Draw(RenderFrame(Frame(), screen_.colour()));
    } else if (over_ || absl::Now() >= next_line_) {
      next_line_ = absl::Now() + kLineEvery;
      screen_.Draw({RenderLine(Frame())});
    }
  }

  void Evaluate() {
    const absl::Duration wait = std::clamp(deadline_ - absl::Now(), kLeastEvaluationWait,
                                           kEvaluationWait);
    absl::StatusOr<v1::EvaluateAverageResponse> averaged = swarm_.EvaluateAverage(wait);
    if (stop_.number() != 0) {
      Interrupted();
    } else if (averaged.ok()) {
      report_.averaged = *std::move(averaged);
    } else {
      report_.averaged_error = std::string(averaged.status().message());
    }
    swarm_.Poll();
  }

  void NotStarted(std::string reason, std::string log_name, int exit_code) {
    report_.outcome = DemoOutcome::kNotStarted;
    report_.reason = std::move(reason);
    report_.startup_exit_code = exit_code;
    report_.log_name = std::move(log_name);
  }

  void Interrupted() {
    report_.outcome = DemoOutcome::kInterrupted;
    report_.signal = stop_.number();
    report_.reason = absl::StrCat("stopped by signal ", stop_.number());
  }

  // The log of whoever failed explains more than we know.
  void AttachLog() {
    for (const DemoPeer& peer : report_.peers) {
      if (report_.log_name.empty() && !peer.failure.empty()) report_.log_name = peer.name;
    }
    if (report_.log_name.empty() && !report_.coordinator_failure.empty()) {
      report_.log_name = "coordinatord";
    }
    if (report_.log_name.empty()) return;
    report_.log_lines = swarm_.LogOf(report_.log_name);
    // A daemon that gives up says why in its last line, which then is all there is to say.
    if (report_.outcome == DemoOutcome::kNotStarted && !report_.log_lines.empty() &&
        IsComplaint(report_.log_lines.back())) {
      absl::StrAppend(&report_.reason, ": ", report_.log_lines.back());
      report_.log_lines.clear();
    }
  }

  struct Told {
    bool death = false;
    bool joined = false;
    bool left = false;
    bool failure = false;
  };

  const absl::Time start_;
  const absl::Time deadline_;
  const StopSignal& stop_;
  LiveScreen& screen_;
  DemoSwarm swarm_;
  DemoPlan plan_;
  DemoReport report_;
  std::vector<Told> told_;
  absl::Time next_line_ = absl::InfinitePast();
  bool over_ = false;
};

}  // namespace

DemoReport RunDemo(const DemoSwarm::Options& options, absl::Time deadline, const StopSignal& stop,
                   LiveScreen& screen) {
  return Run(options, deadline, stop, screen).Go();
}

}  // namespace starling
