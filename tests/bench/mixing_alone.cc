#include "tests/bench/mixing_alone.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "peer/algorithms/registry.h"
#include "peer/codec/payload.h"
#include "peer/gossip/coded_mix.h"
#include "peer/gossip/shard_map.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/check.h"
#include "tests/bench/exchange_node.h"

namespace starling {
namespace {

std::shared_ptr<const MixRule> ElasticRule() {
  v1::AlgorithmConfig config;
  config.set_name("elastic_gossip");
  return MakeAlgorithm(config, {})->mix;
}

void Await(const std::atomic<uint32_t>& counter, uint32_t shard) {
  while (counter.load(std::memory_order_acquire) <= shard) {
  }
}

}  // namespace

struct MixingAlone::State {
  State(size_t elements, CodecChoice its_codecs)
      : codecs(std::move(its_codecs)), shards{elements, kShardElements}, pool(4 * elements * sizeof(float)) {}

  CodedBytes Encoded(MutableBuffer buffer, size_t bytes, const Codec& codec) {
    return {std::move(buffer).Freeze().Slice(0, bytes), codec.wire()};
  }
  MutableBuffer Room(const Codec& codec, uint32_t shard) {
    return pool.Take((codec.MaxBytes(shards.length(shard)) + sizeof(float) - 1) / sizeof(float));
  }
  absl::Span<float> Of(std::vector<float>& model, uint32_t shard) {
    return absl::MakeSpan(model).subspan(shards.offset(shard), shards.length(shard));
  }

  void Ask();
  void Answer();

  const CodecChoice codecs;
  const ShardMap shards;
  const std::shared_ptr<const MixRule> rule = ElasticRule();
  BufferPool pool;
  std::vector<float> asking, answering;
  std::vector<CodedBytes> requests, replies;
  std::atomic<uint32_t> asked{0}, answered{0};
};

void MixingAlone::State::Ask() {
  for (uint32_t shard = 0; shard < shards.count(); ++shard) {
    MutableBuffer room = Room(*codecs.request, shard);
    const size_t bytes = EncodePayload(*codecs.request, Of(asking, shard), 0, nullptr,
                                       reinterpret_cast<char*>(room.floats().data()));
    requests[shard] = Encoded(std::move(room), bytes, *codecs.request);
    asked.store(shard + 1, std::memory_order_release);
  }
  for (uint32_t shard = 0; shard < shards.count(); ++shard) {
    Await(answered, shard);
    STARLING_CHECK(CommitCoded(*rule, Of(asking, shard), requests[shard], replies[shard], {}));
  }
}

void MixingAlone::State::Answer() {
  for (uint32_t shard = 0; shard < shards.count(); ++shard) {
    Await(asked, shard);
    MutableBuffer room = Room(*codecs.reply, shard);
    MixTerms terms;
    size_t bytes = 0;
    STARLING_CHECK(RespondCoded(*rule, Of(answering, shard), requests[shard], terms,
                                {codecs.reply.get(), shard, nullptr},
                                reinterpret_cast<char*>(room.floats().data()), &bytes));
    replies[shard] = Encoded(std::move(room), bytes, *codecs.reply);
    answered.store(shard + 1, std::memory_order_release);
  }
}

MixingAlone::MixingAlone(size_t elements, CodecChoice codecs)
    : state_(std::make_unique<State>(elements, std::move(codecs))) {
  state_->asking.assign(elements, 0.01F);
  state_->answering.assign(elements, -0.01F);
  state_->requests.resize(state_->shards.count());
  state_->replies.resize(state_->shards.count());
}

MixingAlone::~MixingAlone() = default;

absl::Duration MixingAlone::Exchange() {
  const absl::Time begin = absl::Now();
  state_->asked = state_->answered = 0;
  std::thread answering([this] { state_->Answer(); });
  state_->Ask();
  answering.join();
  const absl::Duration took = absl::Now() - begin;
  std::fill(state_->requests.begin(), state_->requests.end(), CodedBytes());
  std::fill(state_->replies.begin(), state_->replies.end(), CodedBytes());
  return took;
}

}  // namespace starling
