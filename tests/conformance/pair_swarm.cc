#include "tests/conformance/pair_swarm.h"

#include "peer/runtime/check.h"

namespace starling {
namespace {

absl::Span<const float> RequestOf(const MixRule& rule, const Values& snapshot) {
  return rule.request_has_payload() ? snapshot : absl::Span<const float>();
}

// What leaves an initiator with its request.
double TakeMass(const MixRule& rule, PairWorker& initiator) {
  if (!rule.moves_mass()) return 0;
  initiator.mass /= 2;
  return initiator.mass;
}

}  // namespace

std::vector<PairWorker> WorkersAt(const std::vector<Values>& x) {
  std::vector<PairWorker> workers;
  for (const Values& values : x) workers.push_back({values});
  return workers;
}

std::vector<Values> ValuesOf(const std::vector<PairWorker>& workers) {
  std::vector<Values> x;
  for (const PairWorker& worker : workers) x.push_back(worker.x);
  return x;
}

MixNorms Exchange(const MixRule& rule, PairWorker& initiator, PairWorker& responder,
                  double staleness, const std::function<void()>& meanwhile) {
  const Values snapshot = initiator.x;
  Values reply(rule.reply_has_payload() ? snapshot.size() : 0);
  MixTerms terms{staleness, TakeMass(rule, initiator), responder.mass};
  const MixNorms norms = rule.Respond(absl::MakeSpan(responder.x), RequestOf(rule, snapshot),
                                      absl::MakeSpan(reply), terms);
  responder.mass = terms.own_mass;
  if (meanwhile) meanwhile();
  rule.Commit(absl::MakeSpan(initiator.x), snapshot, reply, terms);
  return norms;
}

void ExchangeAtOnce(const MixRule& rule, std::vector<PairWorker>& workers,
                    const std::vector<std::pair<size_t, size_t>>& pairs) {
  std::vector<double> sent;
  for (const auto& [initiator, responder] : pairs) {
    sent.push_back(TakeMass(rule, workers[initiator]));
  }
  const std::vector<PairWorker> before = workers;
  for (size_t k = 0; k < pairs.size(); ++k) {
    const auto [initiator, responder] = pairs[k];
    PairWorker& other = workers[responder];
    const Values& snapshot = before[initiator].x;
    Values reply(rule.reply_has_payload() ? snapshot.size() : 0);
    MixTerms terms{0, sent[k], other.mass};
    if (rule.moves_mass()) {
      // Weighted means of whatever order are the same.
      rule.Respond(absl::MakeSpan(other.x), snapshot, absl::MakeSpan(reply), terms);
      other.mass = terms.own_mass;
    } else {
      Values moved = before[responder].x;
      rule.Respond(absl::MakeSpan(moved), RequestOf(rule, snapshot), absl::MakeSpan(reply), terms);
      for (size_t i = 0; i < moved.size(); ++i) other.x[i] += moved[i] - before[responder].x[i];
    }
    rule.Commit(absl::MakeSpan(workers[initiator].x), snapshot, reply, terms);
  }
}

PairSwarm::PairSwarm(Options options, std::vector<Gradient> gradients, std::vector<Values> start)
    : options_(std::move(options)),
      gradients_(std::move(gradients)),
      workers_(WorkersAt(start)),
      random_(options_.seed) {
  STARLING_CHECK(gradients_.size() == start.size());
  for (const Values& x : start) momentum_.emplace_back(x.size());
}

void PairSwarm::Run(uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) Step();
}

Candidate PairSwarm::CandidateOf(size_t worker) const {
  return {PeerId(worker + 1), gradients_[worker] == nullptr,
          options_.losses.empty() ? 0 : options_.losses[worker]};
}

void PairSwarm::Step() {
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (gradients_[i] == nullptr) continue;
    LocalStep(options_.local, gradients_[i](workers_[i].x), workers_[i].x, momentum_[i]);
  }
  for (size_t i = 0; i < workers_.size() && options_.p > 0; ++i) {
    if (gradients_[i] == nullptr || !random_.Bernoulli(options_.p)) continue;
    std::vector<Candidate> others;
    for (size_t j = 0; j < workers_.size(); ++j) {
      if (j != i) others.push_back(CandidateOf(j));
    }
    const auto choice = options_.selector->Select({others, CandidateOf(i), step_}, random_);
    if (!choice.has_value()) continue;
    Exchange(*options_.rule, workers_[i], workers_[choice->peer.value() - 1]);
  }
  ++step_;
}

}  // namespace starling
