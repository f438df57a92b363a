#include "tests/conformance/lockstep.h"

#include <utility>

#include "peer/runtime/check.h"

namespace starling {
namespace {

using Payload = RoundSpec::Payload;

// Push-sum: what each member keeps of its mass, and gives to each of its out-neighbours.
std::vector<double> Shares(const Topology& topology, RoundPlace place,
                           const std::vector<double>& mass) {
  std::vector<double> shares;
  for (place.self = 0; place.self < place.members; ++place.self) {
    shares.push_back(mass[place.self] / (topology.Of(place).out.size() + 1.0));
  }
  return shares;
}

}  // namespace

Lockstep::Lockstep(Options options, std::vector<Gradient> gradients, std::vector<Values> start)
    : options_(std::move(options)),
      gradients_(std::move(gradients)),
      x_(std::move(start)),
      mass_(x_.size(), 1) {
  STARLING_CHECK(gradients_.size() == x_.size());
  for (const Values& x : x_) momentum_.emplace_back(x.size());
  for (const RoundSpec& spec : options_.rounds) {
    Round& round = rounds_.emplace_back();
    round.spec = &spec;
    if (spec.payload == Payload::kGradient) continue;
    for (size_t i = 0; i < x_.size(); ++i) {
      round.outers.push_back(spec.outer(x_[i].size(), options_.local.momentum > 0));
    }
    for (uint32_t fragment = 0; options_.prime && fragment < spec.fragments; ++fragment) {
      Begin(round, fragment);
    }
    round.under_way = false;
  }
}

void Lockstep::Run(uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) Step();
}

void Lockstep::Step() {
  numbers_sent_ = 0;
  ++step_;
  std::vector<Values> gradients;
  for (size_t i = 0; i < x_.size(); ++i) {
    const std::vector<double> gradient = gradients_[i](x_[i]);
    gradients.emplace_back(gradient.begin(), gradient.end());
  }
  for (Round& round : rounds_) {
    if (round.spec->payload != Payload::kGradient || step_ % round.spec->period != 0) continue;
    gradients = Mix(*round.spec, step_ / round.spec->period - 1, 1, gradients);
  }
  for (size_t i = 0; i < x_.size(); ++i) {
    LocalStep(options_.local, {gradients[i].begin(), gradients[i].end()}, x_[i], momentum_[i]);
  }
  for (Round& round : rounds_) {
    if (round.spec->payload != Payload::kParameters) continue;
    if (round.under_way && ++round.age >= DelayOf(*round.spec)) Finish(round);
    if (!round.under_way && step_ % round.spec->period == 0) {
      Begin(round, step_ / round.spec->period - 1);
      if (DelayOf(*round.spec) == 0) Finish(round);
    }
  }
}

uint64_t Lockstep::DelayOf(const RoundSpec& spec) const {
  return spec.delay == RoundSpec::kBackground ? options_.background_steps : spec.delay;
}

OuterOptimizer::State Lockstep::StateOf(const Round& round, size_t worker) {
  const size_t fragment = round.number % round.spec->fragments;
  const size_t begin = x_[worker].size() * fragment / round.spec->fragments;
  const size_t end = x_[worker].size() * (fragment + 1) / round.spec->fragments;
  absl::Span<float> momentum;
  if (options_.local.momentum > 0) {
    momentum = absl::MakeSpan(momentum_[worker]).subspan(begin, end - begin);
  }
  return {absl::MakeSpan(x_[worker]).subspan(begin, end - begin), momentum, begin,
          options_.local.rate};
}

void Lockstep::Begin(Round& round, uint64_t number) {
  round.under_way = true;
  round.age = 0;
  round.number = number;
  round.own.clear();
  for (size_t i = 0; i < x_.size(); ++i) {
    const OuterOptimizer::State state = StateOf(round, i);
    Values& own = round.own.emplace_back(round.outers[i]->slots() * state.parameters.size());
    round.outers[i]->Begin(state, absl::MakeSpan(own));
  }
  numbers_sent_ += round.own[0].size();
}

void Lockstep::Finish(Round& round) {
  round.under_way = false;
  const std::vector<Values> mixed =
      Mix(*round.spec, round.number, round.outers[0]->slots(), round.own);
  for (size_t i = 0; i < x_.size(); ++i) {
    round.outers[i]->Finish(StateOf(round, i), round.own[i], mixed[i]);
  }
}

std::vector<Values> Lockstep::Mix(const RoundSpec& spec, uint64_t number, size_t slots,
                                  const std::vector<Values>& contributions) {
  const bool global = spec.global_every > 0 && (number + 1) % spec.global_every == 0;
  if (global || spec.topology->everyone()) {
    const std::vector<double> mean = Mean(contributions);
    return std::vector<Values>(contributions.size(), Values(mean.begin(), mean.end()));
  }
  STARLING_CHECK(!spec.moves_mass || options_.segments == 1);
  std::vector<Values> mixed = contributions;
  const std::vector<double> mass_before = mass_;
  for (uint32_t segment = 0; segment < options_.segments; ++segment) {
    RoundPlace place{
        .members = x_.size(), .round = number, .segment = segment, .seed = options_.seed};
    const std::vector<double> shares = Shares(*spec.topology, place, mass_before);
    for (place.self = 0; place.self < place.members; ++place.self) {
      std::vector<Inbound> in = spec.topology->Of(place).in;
      if (spec.moves_mass) {
        double& mass = mass_[place.self] = shares[place.self];
        for (const Inbound& inbound : in) mass += shares[inbound.from];
        for (Inbound& inbound : in) inbound.weight = shares[inbound.from] / mass;
      }
      const Values& own = contributions[place.self];
      const size_t length = own.size() / slots;
      for (size_t slot = 0; slot < slots; ++slot) {
        const size_t begin = slot * length + length * segment / options_.segments;
        const size_t end = slot * length + length * (segment + 1) / options_.segments;
        for (size_t k = begin; k < end; ++k) {
          double sum = own[k];
          for (const Inbound& inbound : in) {
            sum += inbound.weight * (static_cast<double>(contributions[inbound.from][k]) - own[k]);
          }
          mixed[place.self][k] = static_cast<float>(sum);
        }
      }
    }
  }
  return mixed;
}

}  // namespace starling
