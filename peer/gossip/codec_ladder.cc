#include "peer/gossip/codec_ladder.h"

#include <utility>

#include "peer/codec/registry.h"
#include "peer/gossip/coded_mix.h"
#include "peer/runtime/check.h"

namespace starling {
namespace {

constexpr const char* kCoarser[] = {"bf16", "int8", "qsgd:bits=4"};

uint64_t ExchangeBytes(const Codec& codec, const ShardMap& shards) {
  uint64_t bytes = 0;
  for (uint32_t shard = 0; shard < shards.count(); ++shard) {
    bytes += codec.MaxBytes(shards.length(shard));
  }
  return bytes;
}

}  // namespace

CodecLadder::CodecLadder(std::shared_ptr<const Codec> chosen, bool values, const ShardMap& shards) {
  const uint64_t most = ExchangeBytes(*chosen, shards);
  rungs_.push_back({std::move(chosen), most});
  for (const char* spec : kCoarser) {
    auto codec = MakeCodec(spec);
    STARLING_CHECK(codec.ok());
    const uint64_t bytes = ExchangeBytes(**codec, shards);
    if (bytes >= rungs_.back().bytes || (values && !CarriesValues(**codec))) continue;
    rungs_.push_back({*std::move(codec), bytes});
  }
}

bool CodecLadder::Choose(const std::function<bool(uint64_t bytes)>& fits) {
  size_t finest = 0;
  while (finest < rungs_.size() && !fits(rungs_[finest].bytes)) ++finest;
  if (finest >= rungs_.size()) {
    could_be_finer_ = 0;
    return empty();
  }
  if (finest < current_ && ++could_be_finer_ > kPatience) {
    --current_;
    could_be_finer_ = 0;
  } else if (finest >= current_) {
    current_ = finest;
    could_be_finer_ = 0;
  }
  return true;
}

const std::shared_ptr<const Codec>& CodecLadder::AtMost(uint64_t bytes, size_t elements) const {
  size_t rung = current_;
  while (rung + 1 < rungs_.size() && rungs_[rung].codec->MaxBytes(elements) > bytes) ++rung;
  return rungs_[rung].codec;
}

}  // namespace starling
