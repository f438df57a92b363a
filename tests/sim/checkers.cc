#include "tests/sim/checkers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/declared.h"
#include "tests/sim/simulation.h"

namespace starling {
namespace {

class QueueChecker final : public Checker {
 public:
  absl::string_view name() const override { return "queues"; }

  void Look(const Simulation& simulation) override {
    const SimNetwork& network = simulation.network();
    if (network.peak_path_frames() > network.options().path_frames) {
      Complain(absl::StrCat(network.peak_path_frames(), " frames were underway on one path, limit ",
                            network.options().path_frames));
    }
    for (const SimPeer* peer : simulation.living()) {
      const Peer& actor = peer->peer();
      Judge(*peer, "tasks in the peer's mailbox", actor.mailbox_depth(), actor.mailbox_capacity());
      if (peer->paused()) continue;
      Judge(*peer, "tasks waiting for the trainer", peer->training().waiting(),
            TrainingOptions().mailbox_capacity + kOwnTasks);
      Judge(*peer, "tasks waiting for the control executor", peer->control().waiting(), 0);
      Judge(*peer, "evaluations waiting", peer->evaluation().waiting(),
            EvaluationActor::kMailbox + kOwnTasks);
    }
  }

 private:
  // Steps, starts and stops come by a door without a bound, one at a time.
  static constexpr size_t kOwnTasks = 8;

  void Judge(const SimPeer& peer, absl::string_view what, size_t depth, size_t limit) {
    if (depth <= limit) return;
    Complain(absl::StrCat("peer ", peer.spec().node, " has ", depth, " ", what, ", limit ", limit));
  }
};

class ProgressChecker final : public Checker {
 public:
  absl::string_view name() const override { return "progress"; }

  void Look(const Simulation& simulation) override {
    if (!limit_) {
      const SimulationOptions& options = simulation.options();
      limit_ = 3 * options.LongestStep() + DeclaredBy(simulation.config()).rounds_waited_for *
                                               options.rounds.timing.ceiling;
    }
    for (const SimPeer* peer : simulation.living()) {
      if (peer->paused() || peer->steps() == 0 || peer->phase() != v1::PHASE_TRAINING) continue;
      const absl::Duration pause = simulation.now() - peer->last_sign_of_progress();
      if (pause > *limit_) {
        Complain(absl::StrCat("peer ", peer->spec().node, " has made no step for ",
                              absl::FormatDuration(pause), " after step ", peer->steps()));
      }
    }
  }

 private:
  // A vanished member delays a round until its deadline, never longer.
  absl::optional<absl::Duration> limit_;
};

// Delays have no upper limit, so now and then a call takes too long even in a calm world: not once in
// a simulation if the tail beyond ping_timeout is below e^-30.
bool CallsAreAlwaysInTime(const SimulationOptions& options) {
  const absl::Duration patience = options.membership.ping_timeout - 2 * options.network.delay_floor;
  return patience > 30 * options.network.delay_spread;
}

class MembershipChecker final : public Checker {
 public:
  absl::string_view name() const override { return "membership"; }

  void Look(const Simulation& simulation) override {
    const absl::optional<absl::Time> calm = simulation.calm_since();
    if (!calm || simulation.now() - *calm < MembershipBound(simulation.options())) return;
    std::map<std::string, const SimPeer*> living;
    for (const SimPeer* peer : simulation.living()) living[peer->spec().id.ToString()] = peer;
    const bool judge_suspicion =
        CallsAreAlwaysInTime(simulation.options()) && !simulation.network().has_links();
    for (const SimPeer* peer : simulation.watched()) Judge(*peer, living, judge_suspicion);
  }

 private:
  void Judge(const SimPeer& peer, std::map<std::string, const SimPeer*> unseen,
             bool judge_suspicion) {
    const v1::Status status = peer.Status();
    for (const v1::PeerStatus& row : status.peers()) {
      const bool present = row.state() == v1::PEER_STATE_ALIVE ||
                           row.state() == v1::PEER_STATE_JOINING ||
                           row.state() == v1::PEER_STATE_SUSPECT;
      const auto found = unseen.find(row.peer_id());
      const auto say = [&](absl::string_view truth) {
        Complain(absl::StrCat("peer ", peer.spec().node, " thinks that ", row.address(), " is ",
                              v1::PeerState_Name(row.state()), " (incarnation ", row.incarnation(),
                              ", ", row.reason(), "), ", truth));
      };
      if (found == unseen.end()) {
        if (present) say("which does not live");
        continue;
      }
      if (!row.self() &&
          (!present || (judge_suspicion && row.state() == v1::PEER_STATE_SUSPECT))) {
        say("which lives");
      }
      if (row.incarnation() != found->second->spec().incarnation) say("which was restarted");
      unseen.erase(found);
    }
    for (const auto& [id, other] : unseen) {
      Complain(absl::StrCat("peer ", peer.spec().node, " does not know peer ", other->spec().node));
    }
  }
};

// How fast the logarithm of the distance should fall where theory says so, else 0: with n peers, each starting `rate` exchanges a
// second, the mean square distance loses the share `strength` / (n - 1) in each, n * rate times a
// second.
double TheoreticalRate(const SimulationOptions& options, const v1::RunConfig& config) {
  const std::string& name = config.algorithm().name();
  if (name != "elastic_gossip" && name != "gossiping_sgd") return 0;
  double p = 0;
  double tau = 1;
  double strength = 0.5;  // pull: the initiator alone moves, half way
  for (const v1::AlgorithmOption& option : config.algorithm().options()) {
    if (option.name() == "p") p = option.value();
    if (option.name() == "tau") tau = option.value();
    if (option.name() == "alpha") strength = 4 * option.value() * (1 - option.value());
  }
  if (p == 0) return 0;
  // An exchange waits for up to three step boundaries and crosses the network twice, and one at a
  // time is started.
  const double step = absl::ToDoubleSeconds(options.LongestStep());
  const double exchange =
      3 * step + 4 * absl::ToDoubleSeconds(options.network.delay_floor + options.network.delay_spread);
  return strength / 2 / (step * tau / p + exchange);
}

class ConsensusChecker final : public Checker {
 public:
  absl::string_view name() const override { return "consensus"; }

  void Look(const Simulation& simulation) override {
    const absl::optional<absl::Time> calm = simulation.calm_since();
    const SimulationOptions& options = simulation.options();
    if (options.learn || !calm ||
        simulation.now() - *calm < MembershipBound(options)) {
      base_.reset();
      return;
    }
    if (!base_ || calm_ != *calm) {
      calm_ = *calm;
      base_ = simulation.now();
      distance_ = simulation.ConsensusDistance();
      return;
    }
    if (simulation.network().has_lines()) return;
    const double exponent = TheoreticalRate(options, simulation.config()) / 4 *
                            absl::ToDoubleSeconds(simulation.now() - *base_);
    if (exponent < 2) return;
    // Parameters are of the order of 1.
    const double rounding = 1e-5 * std::sqrt(options.dimension);
    const double limit = distance_ * std::exp(-exponent) + rounding;
    const double now = simulation.ConsensusDistance();
    if (!(now <= limit)) {
      Complain(absl::StrCat("the distance between peers was ", distance_, " and is ", now, " after ",
                            absl::FormatDuration(simulation.now() - *base_), " of calm; limit ",
                            limit));
    }
  }

 private:
  absl::Time calm_;
  absl::optional<absl::Time> base_;
  double distance_ = 0;
};

}  // namespace

std::unique_ptr<Checker> MakeQueueChecker() { return std::make_unique<QueueChecker>(); }
std::unique_ptr<Checker> MakeProgressChecker() { return std::make_unique<ProgressChecker>(); }
std::unique_ptr<Checker> MakeMembershipChecker() { return std::make_unique<MembershipChecker>(); }
std::unique_ptr<Checker> MakeConsensusChecker() { return std::make_unique<ConsensusChecker>(); }

// A death or a heal of the last moment: it is noticed by the next calls, a suspicion that all who look
// confirm lasts S_min, and the dead are called every heal_interval, give or take a tenth. Then news has to
// get round, and local health to recover.
absl::Duration MembershipBound(const SimulationOptions& options) {
  const MembershipOptions& membership = options.membership;
  const size_t members = options.peers + 1;
  absl::Duration bound = 1.1 * membership.heal_interval + 1.5 * membership.SuspicionMin(members) +
                         8 * membership.ping_interval;
  if (options.coordinator) {
    bound += 2 * options.coordinator_options.registry.lease +
             2 * options.coordinator_options.call_timeout;
  }
  return bound;
}

}  // namespace starling
