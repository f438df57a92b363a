#include "peer/cli/algorithm_facts.h"

#include <cxxabi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <typeinfo>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "peer/rounds/outer_optimizer.h"
#include "peer/runtime/check.h"
#include "peer/runtime/random.h"

namespace starling {
namespace {

// Policies have no names of their own; their classes have: "ElasticMix" less "Mix".
template <typename Policy>
std::string NameOf(const Policy& policy, absl::string_view kind) {
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(typeid(policy).name(), nullptr, nullptr, nullptr), std::free);
  STARLING_CHECK(demangled != nullptr);
  absl::string_view name = demangled.get();
  name.remove_prefix(name.rfind(':') + 1);
  return std::string(absl::StripSuffix(name, kind));
}

std::string EverySteps(uint64_t period) {
  return period == 1 ? "every step" : absl::StrCat("every ", period, " steps");
}

// A schedule is asked as a worker would, long enough to tell period and probability.
std::string ScheduleText(const Schedule& schedule) {
  constexpr uint64_t kSteps = 200000;
  Random random(1);
  uint64_t period = 0;
  uint64_t count = 0;
  for (uint64_t step = 1; step <= kSteps; ++step) {
    if (!schedule.Triggers(step, random)) continue;
    period = std::gcd(period, step);
    ++count;
  }
  if (count == 0) return "never";
  const double share = static_cast<double>(count * period) / static_cast<double>(kSteps);
  if (share > 0.999) return EverySteps(period);
  const double inverse = std::round(1 / share);
  const bool fraction = std::fabs(share * inverse - 1) < 0.03;
  return absl::StrCat(EverySteps(period), " with probability ",
                      fraction ? absl::StrCat("1/", inverse) : absl::StrFormat("%.2f", share));
}

std::string MixPayload(const MixRule& mix) {
  if (mix.moves_mass()) return "values and weight one way";
  if (mix.request_has_payload() && mix.reply_has_payload()) return "values both ways";
  return mix.request_has_payload() ? "values one way" : "the other's values";
}

ExchangeFacts ExchangeFactsOf(const Algorithm& algorithm) {
  return {.schedule = ScheduleText(*algorithm.schedule),
          .selector = NameOf(*algorithm.selector, "Selector"),
          .mix = NameOf(*algorithm.mix, "Mix"),
          .payload = MixPayload(*algorithm.mix)};
}

std::string RoundPayload(const RoundSpec& spec) {
  std::string text =
      spec.payload == RoundSpec::Payload::kGradient ? "gradients" : "parameters";
  if (spec.payload == RoundSpec::Payload::kParameters) {
    const size_t slots = spec.outer(1, /*has_momentum=*/true)->slots();
    if (slots > 1) absl::StrAppend(&text, " (", slots, " vectors)");
  }
  if (spec.moves_mass) absl::StrAppend(&text, " and weight");
  if (spec.fragments > 1) absl::StrAppend(&text, ", 1 of ", spec.fragments, " fragments a round");
  if (spec.by_segment) absl::StrAppend(&text, ", every segment to others");
  return text;
}

std::string RoundOrder(uint64_t delay) {
  if (delay == 0) return "training waits";
  if (delay == RoundSpec::kBackground) return "in the background";
  return absl::StrCat(delay, delay == 1 ? " step" : " steps", " may be made meanwhile");
}

RoundFacts RoundFactsOf(const RoundSpec& spec) {
  RoundFacts facts = {.payload = RoundPayload(spec),
                      .schedule = EverySteps(spec.period),
                      .topology = std::string(spec.topology->name()),
                      .order = RoundOrder(spec.delay)};
  if (spec.payload == RoundSpec::Payload::kParameters) {
    facts.outer = NameOf(*spec.outer(1, /*has_momentum=*/true), "Outer");
  }
  if (spec.global_every > 0) {
    facts.global = absl::StrCat("everybody's mean every ", spec.global_every, " rounds");
    if (spec.global_exponent > 0) absl::StrAppend(&facts.global, " at first, rarer as the loss falls");
  }
  return facts;
}

std::string WaitsWord(const std::vector<RoundSpec>& rounds) {
  const auto any = [&](auto condition) {
    return std::any_of(rounds.begin(), rounds.end(), condition);
  };
  if (any([](const RoundSpec& spec) { return spec.delay == 0; })) return "yes";
  if (any([](const RoundSpec& spec) { return spec.delay != RoundSpec::kBackground; })) return "late";
  return "no";
}

std::vector<std::string> Others(const Algorithm& algorithm) {
  std::vector<std::string> also;
  if (std::any_of(algorithm.tethers.begin(), algorithm.tethers.end(),
                  [](double pull) { return pull > 0; })) {
    std::string pulls;
    for (const double pull : algorithm.tethers) {
      absl::StrAppend(&pulls, pulls.empty() ? "" : " and ", absl::StrFormat("%.3g", pull));
    }
    also.push_back(absl::StrCat("at every step a pull by ", pulls,
                                " of the way to the values last heard of the leaders (tethers)"));
  }
  if (algorithm.staleness_unit > 0) {
    also.push_back(absl::StrCat("weighs staleness in units of ", algorithm.staleness_unit, " steps"));
  }
  switch (algorithm.elastic.strategy) {
    case ElasticOptions::Strategy::kNone: break;
    case ElasticOptions::Strategy::kScaleRate:
      also.push_back(absl::StrCat("the step length follows the number of workers within ",
                                  algorithm.elastic.ramp, " steps"));
      break;
    case ElasticOptions::Strategy::kShareBatch:
      also.push_back("the global batch is shared out among the workers");
      break;
  }
  if (algorithm.rotates_data) also.push_back("the data move on from worker to worker");
  if (algorithm.segments > 1) {
    also.push_back(absl::StrCat("the model is cut into at least ", algorithm.segments, " parts"));
  }
  return also;
}

}  // namespace

AlgorithmFacts FactsOf(const AlgorithmRow& row) {
  std::vector<double> defaults;
  for (const AlgorithmOptionSpec& option : row.options) defaults.push_back(option.default_value);
  const absl::StatusOr<Algorithm> made =
      row.make(AlgorithmOptions(row.options, std::move(defaults)), AlgorithmContext());
  STARLING_CHECK(made.ok());
  AlgorithmFacts facts;
  if (made->mix != nullptr) facts.exchange = ExchangeFactsOf(*made);
  for (const RoundSpec& spec : made->rounds) facts.rounds.push_back(RoundFactsOf(spec));
  facts.also = Others(*made);
  facts.needs_centre = made->needs_centre;
  facts.waits = WaitsWord(made->rounds);
  return facts;
}

std::string SumWord(AlgorithmGuarantees::Sum sum) {
  switch (sum) {
    case AlgorithmGuarantees::Sum::kConserved: return "kept";
    case AlgorithmGuarantees::Sum::kWeighted: return "weighed";
    case AlgorithmGuarantees::Sum::kInExpectation: return "in mean";
    case AlgorithmGuarantees::Sum::kMoves: return "moves";
  }
  return "";
}

std::string SumText(AlgorithmGuarantees::Sum sum) {
  switch (sum) {
    case AlgorithmGuarantees::Sum::kConserved: return "mixing never changes the sum over all peers";
    case AlgorithmGuarantees::Sum::kWeighted:
      return "mixing never changes the sum of push-sum weight times values";
    case AlgorithmGuarantees::Sum::kInExpectation:
      return "mixing keeps the sum over all peers only on average";
    case AlgorithmGuarantees::Sum::kMoves: return "mixing moves the sum over all peers";
  }
  return "";
}

std::string NeedsWord(const AlgorithmFacts& facts) {
  if (facts.needs_centre) return "centre";
  return facts.rounds.empty() ? "-" : "rounds";
}

std::string RangeText(const AlgorithmOptionSpec& option) {
  return absl::StrCat(option.minimum_allowed ? "[" : "(", OptionValueText(option.minimum), ", ",
                      OptionValueText(option.maximum), "]", option.whole ? ", whole" : "");
}

std::string OptionValueText(double value) { return absl::StrFormat("%g", value); }

}  // namespace starling
