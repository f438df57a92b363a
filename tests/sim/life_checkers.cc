#include "tests/sim/life_checkers.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "tests/sim/declared.h"
#include "tests/sim/simulation.h"

namespace starling {
namespace {

class FiniteChecker final : public Checker {
 public:
  absl::string_view name() const override { return "finite"; }

  void Look(const Simulation& simulation) override {
    for (const SimPeer* peer : simulation.living()) {
      const absl::Span<const float> parameters = peer->parameters();
      const auto bad = std::find_if(parameters.begin(), parameters.end(),
                                    [](float value) { return !std::isfinite(value); });
      if (bad == parameters.end()) continue;
      Complain(absl::StrCat("parameter ", bad - parameters.begin(), " of peer ",
                            peer->spec().node, " is ", *bad));
    }
  }
};

// A status is costly, and counters and exchanges are in no hurry.
constexpr absl::Duration kStatusEvery = absl::Milliseconds(500);

class StatusChecker : public Checker {
 public:
  void Look(const Simulation& simulation) final {
    if (simulation.now() < next_) return;
    next_ = simulation.now() + kStatusEvery;
    for (const SimPeer* peer : simulation.watched()) LookAt(simulation, *peer, peer->Status());
  }

 protected:
  virtual void LookAt(const Simulation& simulation, const SimPeer& peer,
                      const v1::Status& status) = 0;

 private:
  absl::Time next_ = absl::InfinitePast();
};

// The unsigned numbers of a message, in the order of its fields.
struct Counter {
  const google::protobuf::FieldDescriptor* field;
  uint64_t value;
};

std::vector<Counter> Counters(const google::protobuf::Message& message) {
  std::vector<Counter> counters;
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type.field(i);
    if (field->is_repeated() ||
        field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_UINT64) {
      continue;
    }
    // A new coordinator counts its rounds from 1.
    if (field->number() == v1::AveragingStatus::kLastRoundFieldNumber &&
        &type == v1::AveragingStatus::descriptor()) {
      continue;
    }
    counters.push_back({field, message.GetReflection()->GetUInt64(message, field)});
  }
  return counters;
}

class CounterChecker final : public StatusChecker {
 public:
  absl::string_view name() const override { return "counters"; }

 private:
  void LookAt(const Simulation&, const SimPeer& peer, const v1::Status& status) override {
    // Whoever goes back to better parameters goes back in steps.
    uint64_t& rollbacks = rollbacks_[peer.spec().process];
    if (rollbacks != status.recovery().rollbacks() || status.phase() == v1::PHASE_SYNCING) {
      last_.erase({peer.spec().process, "training"});
    }
    rollbacks = status.recovery().rollbacks();
    if (status.phase() != v1::PHASE_SYNCING) Judge(peer, "training", status.training());
    Judge(peer, "gossip", status.gossip());
    Judge(peer, "averaging", status.averaging());
    Judge(peer, "rounds", status.rounds());
  }

  void Judge(const SimPeer& peer, absl::string_view part,
             const google::protobuf::Message& message) {
    std::vector<Counter>& last = last_[{peer.spec().process, part}];
    std::vector<Counter> now = Counters(message);
    for (size_t i = 0; i < last.size(); ++i) {
      if (now[i].value >= last[i].value) continue;
      Complain(absl::StrCat(part, " of peer ", peer.spec().node, ": ", now[i].field->name(),
                            " fell from ", last[i].value, " to ", now[i].value));
    }
    last = std::move(now);
  }

  std::map<std::pair<uint64_t, absl::string_view>, std::vector<Counter>> last_;
  std::map<uint64_t, uint64_t> rollbacks_;
};

class EndChecker final : public StatusChecker {
 public:
  absl::string_view name() const override { return "ends"; }

 private:
  struct Seen {
    absl::Time when;
    uint64_t started;
  };

  void LookAt(const Simulation& simulation, const SimPeer& peer,
              const v1::Status& status) override {
    const absl::Duration bound = EndBound(simulation.options());
    const v1::GossipStatus& gossip = status.gossip();
    Judge(simulation.now(), bound, peer, "exchanges", gossip.exchanges_started(),
          gossip.exchanges_committed() + gossip.exchanges_partial() + gossip.exchanges_failed());
    JudgeRounds(simulation.now(), bound, peer, "averaging rounds", status.averaging());
    JudgeRounds(simulation.now(), bound, peer, "rounds", status.rounds());
  }

  void JudgeRounds(absl::Time now, absl::Duration bound, const SimPeer& peer,
                   absl::string_view what, const v1::AveragingStatus& rounds) {
    Judge(now, bound, peer, what, rounds.rounds_joined(),
          rounds.rounds_complete() + rounds.rounds_partial());
  }

  void Judge(absl::Time now, absl::Duration bound, const SimPeer& peer, absl::string_view what,
             uint64_t started, uint64_t ended) {
    std::deque<Seen>& seen = seen_[{peer.spec().process, what}];
    if (peer.paused() || peer.leaving()) {
      seen.clear();
      return;
    }
    seen.push_back({now, started});
    // The last that is old enough speaks for those before it.
    while (seen.size() > 1 && now - seen[1].when > bound) seen.pop_front();
    if (now - seen.front().when <= bound || ended >= seen.front().started) return;
    Complain(absl::StrCat("peer ", peer.spec().node, " had started ", seen.front().started, " ",
                          what, " ", absl::FormatDuration(now - seen.front().when),
                          " ago and has ended ", ended));
  }

  std::map<std::pair<uint64_t, absl::string_view>, std::deque<Seen>> seen_;
};

class AgreementChecker final : public Checker {
 public:
  absl::string_view name() const override { return "agreement"; }

  void Look(const Simulation& simulation) override {
    const SimulationOptions& options = simulation.options();
    if (options.learn || !options.starts_equal()) return;
    if (start_.empty()) {
      if (!DeclaredBy(simulation.config()).keeps_agreement) return;
      const std::unique_ptr<Model> model = simulation.workload().make_model(options.seed);
      const absl::Span<const float> parameters = model->parameters();
      start_.assign(parameters.begin(), parameters.end());
      for (const float value : start_) largest_ = std::max(largest_, std::abs(value));
    }
    for (const SimPeer* peer : simulation.living()) {
      const absl::Span<const float> parameters = peer->parameters();
      for (size_t i = 0; i < start_.size(); ++i) {
        if (std::abs(parameters[i] - start_[i]) <= kTolerance * largest_) continue;
        Complain(absl::StrCat("parameter ", i, " of peer ", peer->spec().node, " went from ",
                              start_[i], " to ", parameters[i], " although all peers agreed"));
        return;
      }
    }
  }

 private:
  static constexpr float kTolerance = 1e-6f;

  std::vector<float> start_;
  float largest_ = 0;
};

// Push-sum divides by its weights.
class MassChecker final : public StatusChecker {
 public:
  absl::string_view name() const override { return "mass"; }

 private:
  void LookAt(const Simulation&, const SimPeer& peer, const v1::Status& status) override {
    const double mass = status.gossip().mass();
    if (std::isfinite(mass) && (mass > 0 || !peer.trained())) return;
    Complain(absl::StrCat("the push-sum weight of peer ", peer.spec().node, " is ", mass));
  }
};

// Nobody here sends bad data on purpose, so nobody may be accused of it.
class OffenceChecker final : public StatusChecker {
 public:
  absl::string_view name() const override { return "offences"; }

 private:
  void LookAt(const Simulation&, const SimPeer& peer, const v1::Status& status) override {
    for (const v1::RefusalCount& refused : status.gossip().refused()) {
      if (refused.reason() != v1::REFUSAL_REASON_OUT_OF_SCALE &&
          refused.reason() != v1::REFUSAL_REASON_NON_FINITE) {
        continue;
      }
      Complain(absl::StrCat("peer ", peer.spec().node, " refused ", refused.count(), " frames as ",
                            v1::RefusalReason_Name(refused.reason())));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeOffenceChecker() { return std::make_unique<OffenceChecker>(); }
std::unique_ptr<Checker> MakeFiniteChecker() { return std::make_unique<FiniteChecker>(); }
std::unique_ptr<Checker> MakeCounterChecker() { return std::make_unique<CounterChecker>(); }
std::unique_ptr<Checker> MakeEndChecker() { return std::make_unique<EndChecker>(); }
std::unique_ptr<Checker> MakeAgreementChecker() { return std::make_unique<AgreementChecker>(); }
std::unique_ptr<Checker> MakeMassChecker() { return std::make_unique<MassChecker>(); }

absl::Duration EndBound(const SimulationOptions& options) {
  const absl::Duration longest =
      std::max({options.gossip.timing.ceiling, options.averaging_deadline,
                options.rounds.timing.ceiling});
  // Beyond that, twice what a round trip (no answer is waited for any longer), the transfer, and a step of
  // either side take at least.
  const absl::Duration round_trip =
      options.membership.ping_interval + 10 * options.membership.ping_timeout;
  return longest + 2 * round_trip + 12 * options.LongestStep() + absl::Seconds(2);
}

}  // namespace starling
