#include "peer/peer_setup.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/partition.h"
#include "peer/algorithms/registry.h"
#include "peer/gossip/codec_choice.h"
#include "peer/runtime/check.h"
#include "peer/runtime/run_config.h"
#include "peer/transport/link_budget.h"
#include "peer/topology/everyone.h"

namespace starling {
namespace {

uint64_t TotalSteps(const v1::RunConfig& config, size_t examples) {
  if (config.epochs() <= 0) return 0;
  const double steps = config.epochs() * static_cast<double>(examples) /
                       (static_cast<double>(config.data().parts()) * config.batch_size());
  return std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(steps)));
}

FrameIdentity IdentityOf(const PeerOptions& options, RunId run, Model& model, uint32_t segments) {
  FrameIdentity identity;
  identity.peer = options.id;
  identity.incarnation = options.incarnation;
  identity.run = run;
  identity.epoch = options.config.epoch();
  identity.model = model.fingerprint();
  const size_t elements = model.parameters().size();
  const size_t segment = (elements + segments - 1) / segments;
  identity.shards =
      ShardMap{elements, std::min<size_t>(options.config.shard_elements(), segment)};
  return identity;
}

// One exact average of everybody's parameters after the last step.
RoundSpec FinalMerge(uint64_t total_steps) {
  RoundSpec merge;
  merge.period = total_steps;
  merge.delay = RoundSpec::kBackground;
  merge.topology = MakeEveryone();
  merge.final_merge = true;
  merge.outer = [](size_t, bool) { return MakePlainOuter(); };
  return merge;
}

absl::Status CheckFragments(const Algorithm& algorithm, Model& model) {
  for (const RoundSpec& round : algorithm.rounds) {
    const size_t elements = model.parameters().size();
    if (round.fragments <= elements) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm \"", algorithm.name, "\" cuts the parameters into ", round.fragments,
                     " fragments, but model \"", model.name(), "\" has only ", elements,
                     "; use fragments <= ", elements));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Optimizer>> OptimizerFor(const v1::RunConfig& config, Model& model) {
  auto optimizer =
      MakeOptimizer(config.optimizer(), model.parameters().size(), model.layers());
  if (optimizer.ok() && (*optimizer)->needs_curvature() && !model.has_curvature()) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer \"", (*optimizer)->name(), "\" needs second derivatives, which model \"",
                     model.name(), "\" does not have; use nesterov or adamw"));
  }
  return optimizer;
}

}  // namespace

absl::optional<size_t> PeerSetup::final_merge() const {
  for (size_t index = 0; index < algorithm.rounds.size(); ++index) {
    if (algorithm.rounds[index].final_merge) return index;
  }
  return absl::nullopt;
}

bool PeerSetup::has_rounds() const {
  return std::any_of(algorithm.rounds.begin(), algorithm.rounds.end(),
                     [](const RoundSpec& round) { return !round.final_merge; });
}

uint64_t PeerSetup::farthest_ahead() const {
  uint64_t longest = 0;
  for (const RoundSpec& round : algorithm.rounds) {
    if (!round.final_merge) longest = std::max(longest, round.period);
  }
  return 2 * longest + 8;
}

absl::StatusOr<PeerSetup> SetUpPeer(const PeerOptions& options, Model& model,
                                    const Dataset& train) {
  const v1::RunConfig& config = options.config;
  const v1::DataConfig& data = config.data();
  PeerSetup setup;
  auto algorithm = MakeAlgorithm(config.algorithm(), {data.parts(), config.seed()});
  if (!algorithm.ok()) return algorithm.status();
  setup.algorithm = *std::move(algorithm);
  setup.total_steps = TotalSteps(config, train.size());
  if (config.final_merge() && setup.total_steps > 0) {
    setup.algorithm.rounds.push_back(FinalMerge(setup.total_steps));
  }
  if (options.centre && !setup.algorithm.needs_centre) {
    return absl::InvalidArgumentError(absl::StrCat(
        "algorithm \"", setup.algorithm.name, "\" has no centre; start this peer without --centre"));
  }
  absl::Status status = CheckCodecs(setup.algorithm, options.gossip.codecs);
  status.Update(CheckOptimizer(config.algorithm().name(), config.optimizer().name()));
  status.Update(CheckFragments(setup.algorithm, model));
  status.Update(options.data_gate.Validate());
  status.Update(options.offences.Validate());
  status.Update(ValidateLimits(options.limits));
  if (setup.algorithm.mix == nullptr && HasLimit(options.limits)) {
    status.Update(absl::InvalidArgumentError(NothingToLimit(setup.algorithm.name).message()));
  }
  if (!(options.rollback_rate > 0 && options.rollback_rate <= 1)) {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "rollback_rate is ", options.rollback_rate, "; it must be above 0 and at most 1")));
  }
  if (!status.ok()) return status;
  auto optimizer = OptimizerFor(config, model);
  if (!optimizer.ok()) return optimizer.status();
  setup.optimizer = *std::move(optimizer);
  setup.new_optimizer = [config = config.optimizer(), elements = model.parameters().size(),
                         layers = model.layers()] {
    auto made = MakeOptimizer(config, elements, layers);
    STARLING_CHECK(made.ok());  // the first one was
    return *std::move(made);
  };
  auto part = PartitionOf(train, data.parts(), options.slot % data.parts(), data.dirichlet_alpha(),
                          config.seed());
  if (!part.ok()) return part.status();
  setup.part = *std::move(part);
  setup.run = RunIdOf(config);
  setup.identity = IdentityOf(options, setup.run, model, setup.algorithm.segments);
  return setup;
}

absl::Status NothingToLimit(const std::string& algorithm) {
  return absl::FailedPreconditionError(absl::StrCat(
      "algorithm \"", algorithm,
      "\" makes no exchanges between pairs, and its rounds cannot be kept within limits; use an algorithm such as "
      "elastic_gossip, or no limits"));
}

v1::RunConfig EffectiveConfig(const v1::RunConfig& config) {
  v1::RunConfig effective = config;
  if (auto optimizer = CompleteOptimizerConfig(config.optimizer()); optimizer.ok()) {
    *effective.mutable_optimizer() = *std::move(optimizer);
  }
  if (auto algorithm = CompleteAlgorithmConfig(config.algorithm()); algorithm.ok()) {
    *effective.mutable_algorithm() = *std::move(algorithm);
  }
  return effective;
}

v1::Member SelfMember(const PeerOptions& options) {
  v1::Member member;
  member.set_peer_id(options.id.value());
  member.set_incarnation(options.incarnation);
  member.set_address(options.address);
  member.set_state(v1::PEER_STATE_JOINING);
  member.set_slot(options.slot);
  member.set_centre(options.centre);
  return member;
}

TrainingOptions TrainingOptionsFor(const PeerOptions& options, const PeerSetup& setup,
                                   std::shared_ptr<const Dataset> train) {
  TrainingOptions training;
  training.total_steps = setup.total_steps;
  training.decay_share = options.config.optimizer().decay_share();
  training.step_time = options.step_time;
  training.learn = options.learn;
  training.rounds = setup.algorithm.rounds;
  training.tethers = setup.algorithm.tethers;
  training.elastic = setup.algorithm.elastic;
  training.reference_workers = std::max<uint32_t>(1, options.config.data().parts());
  training.shard_elements = setup.identity.shards.shard_elements;
  training.data_gate = options.data_gate;
  training.new_optimizer = setup.new_optimizer;
  training.rollback_rate = options.rollback_rate;
  if (setup.algorithm.rotates_data) {
    training.part_of_pass = [config = options.config, slot = options.slot,
                             train = std::move(train)](uint64_t pass) {
      const uint32_t parts = config.data().parts();
      auto part = PartitionOf(*train, parts, static_cast<uint32_t>((slot + pass) % parts),
                              config.data().dirichlet_alpha(), config.seed());
      STARLING_CHECK(part.ok());  // the first one was
      return *std::move(part);
    };
  }
  return training;
}

}  // namespace starling
