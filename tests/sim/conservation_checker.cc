#include "tests/sim/conservation_checker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/codec/payload.h"
#include "peer/codec/registry.h"
#include "peer/runtime/check.h"
#include "tests/sim/declared.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/simulation.h"

namespace starling {
namespace {

constexpr double kTolerance = 1e-5;

std::vector<float> Decoded(const CodedBytes& coded, size_t elements) {
  std::vector<float> values(elements);
  const absl::Status decoded =
      DecodePayload(*FindDecoder(coded.codec), {coded.bytes.data(), coded.bytes.size()},
                    absl::MakeSpan(values));
  STARLING_CHECK(decoded.ok());
  return values;
}

double Norm(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}

}  // namespace

class ConservationChecker::Observer final : public MixObserver {
 public:
  Observer(ConservationChecker* checker, uint64_t process)
      : checker_(checker), process_(process) {}

  void OnResponded(size_t offset, size_t elements, const CodedBytes& reply) override {
    checker_->OnResponded(process_, offset, elements, reply);
  }
  void OnCommitted(size_t offset, size_t elements, const CodedBytes& reply) override {
    checker_->OnCommitted(process_, offset, elements, reply);
  }

 private:
  ConservationChecker* const checker_;
  const uint64_t process_;
};

ConservationChecker::ConservationChecker(const v1::RunConfig& config, size_t parameters,
                                         bool learn)
    : rule_conserves_(DeclaredBy(config).conserves_sum),
      measures_sum_(rule_conserves_ && !learn),
      judges_sum_(measures_sum_ && config.averaging().period_steps() == 0),
      dimension_(parameters),
      expected_(dimension_),
      departed_(dimension_) {}

ConservationChecker::~ConservationChecker() = default;

MixObserver* ConservationChecker::ObserverFor(uint64_t process) {
  Process& entry = processes_[process];
  entry.observer = std::make_unique<Observer>(this, process);
  if (measures_sum_) entry.gained.resize(dimension_);
  return entry.observer.get();
}

void ConservationChecker::OnResponded(uint64_t process, size_t offset, size_t elements,
                                      const CodedBytes& reply) {
  ++responded_;
  std::vector<float> values = Decoded(reply, elements);
  Process& responder = processes_.at(process);
  if (measures_sum_ && !responder.admitted) {
    for (size_t i = 0; i < elements; ++i) responder.gained[offset + i] -= values[i];
  }
  if (!underway_
           .emplace(reply.bytes.data(), Delta{process, offset, reply.bytes, std::move(values)})
           .second) {
    Complain("two answers lie in the same memory");
  }
}

void ConservationChecker::OnCommitted(uint64_t process, size_t offset, size_t elements,
                                      const CodedBytes& reply) {
  ++committed_;
  Process& initiator = processes_.at(process);
  if (measures_sum_ && !initiator.admitted) {
    const std::vector<float> values = Decoded(reply, elements);
    for (size_t i = 0; i < elements; ++i) initiator.gained[offset + i] += values[i];
  }
  const auto found = underway_.find(reply.bytes.data());
  if (found == underway_.end()) {
    Complain(absl::StrCat("process ", process, " applied an answer that nobody gave, or that was "
                          "applied before, at offset ", offset));
    return;
  }
  if (found->second.offset != offset || found->second.responder == process) {
    Complain(absl::StrCat("process ", process, " applied the answer of process ",
                          found->second.responder, " for offset ", found->second.offset, " at ",
                          offset));
  }
  underway_.erase(found);
}

// Counts the peer in, with what it had before its first exchange.
void ConservationChecker::Admit(const SimPeer& peer) {
  Process& process = processes_.at(peer.spec().process);
  if (process.admitted || !peer.trained()) return;
  process.admitted = true;
  const absl::Span<const float> parameters = peer.parameters();
  for (size_t i = 0; i < dimension_; ++i) expected_[i] += parameters[i] - process.gained[i];
}

void ConservationChecker::OnEnd(const SimPeer& peer) {
  if (!measures_sum_) return;
  Admit(peer);
  if (!processes_.at(peer.spec().process).admitted) return;
  const absl::Span<const float> parameters = peer.parameters();
  for (size_t i = 0; i < dimension_; ++i) departed_[i] += parameters[i];
}

void ConservationChecker::Look(const Simulation& simulation) {
  if (!measures_sum_) return;
  std::vector<double> sum = departed_;
  double absolute = 0;
  for (const SimPeer* peer : simulation.living()) {
    Admit(*peer);
    if (!processes_.at(peer->spec().process).admitted) continue;
    const absl::Span<const float> parameters = peer->parameters();
    for (size_t i = 0; i < dimension_; ++i) {
      sum[i] += parameters[i];
      absolute += std::abs(parameters[i]);
    }
  }
  for (const auto& [memory, delta] : underway_) {
    for (size_t i = 0; i < delta.values.size(); ++i) sum[delta.offset + i] += delta.values[i];
  }
  if (absolute == 0) return;
  double drift = 0;
  for (size_t i = 0; i < dimension_; ++i) drift += std::abs(sum[i] - expected_[i]);
  relative_drift_ = drift / absolute;
  worst_relative_drift_ = std::max(worst_relative_drift_, relative_drift_);
  // Written so that NaN complains too.
  if (judges_sum_ && !(relative_drift_ <= kTolerance)) {
    Complain(absl::StrCat("the sum over all peers has drifted by ", relative_drift_,
                          " of its absolute values"));
  }
}

void ConservationChecker::MarkUnderway() {
  for (auto& [memory, delta] : underway_) delta.marked = true;
}

size_t ConservationChecker::true_orphans() const {
  return static_cast<size_t>(std::count_if(underway_.begin(), underway_.end(),
                                           [](const auto& each) { return each.second.marked; }));
}

void ConservationChecker::ExpectOrphansCounted(const Simulation& simulation) {
  if (!rule_conserves_) return;
  struct Loss {
    uint64_t deltas = 0;
    double norm = 0;
  };
  std::map<uint64_t, Loss> lost;
  for (const auto& [memory, delta] : underway_) {
    const double norm = Norm(delta.values);
    if (!delta.marked || norm == 0) continue;
    ++lost[delta.responder].deltas;
    lost[delta.responder].norm += norm;
  }
  for (const SimPeer* peer : simulation.living()) {
    const auto found = lost.find(peer->spec().process);
    if (found == lost.end()) continue;
    const v1::GossipStatus counted = peer->Status().gossip();
    if (counted.orphaned_deltas() < found->second.deltas ||
        counted.orphaned_delta_norm() < found->second.norm * (1 - 1e-4)) {
      Complain(absl::StrCat("process ", found->first, " lost ", found->second.deltas,
                            " deltas of norm ", found->second.norm, " but counted ",
                            counted.orphaned_deltas(), " of norm ",
                            counted.orphaned_delta_norm()));
    }
  }
}

}  // namespace starling
