#include "peer/gossip/coded_mix.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "peer/codec/bits.h"
#include "peer/codec/peak.h"
#include "peer/codec/registry.h"
#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

bool IsAligned(const char* bytes) {
  return reinterpret_cast<uintptr_t>(bytes) % alignof(float) == 0;
}

// Goes through a payload tile by tile. fp32 is looked at where it lies.
class TileReader {
 public:
  explicit TileReader(const CodedBytes& coded)
      : codec_(coded.empty() ? nullptr : FindDecoder(coded.codec)),
        rest_(coded.bytes.data(), coded.bytes.size()),
        plain_(coded.codec == v1::CODEC_FP32 && IsAligned(coded.bytes.data())) {
    STARLING_CHECK(coded.empty() || codec_ != nullptr);
  }

  // Valid until the next call. Empty if there is no payload.
  absl::Span<const float> Next(size_t elements) {
    if (codec_ == nullptr) return {};
    if (plain_) {
      const size_t size = elements * sizeof(float);
      STARLING_CHECK(rest_.size() >= size);
      const auto* values = reinterpret_cast<const float*>(rest_.data());
      rest_.remove_prefix(size);
      return {values, elements};
    }
    const auto used = codec_->DecodeTile(rest_, absl::MakeSpan(tile_, elements));
    STARLING_CHECK(used.ok());
    rest_.remove_prefix(*used);
    return {tile_, elements};
  }

 private:
  const Codec* const codec_;
  absl::string_view rest_;
  const bool plain_;
  alignas(64) float tile_[kTileElements];
};

// own -= share * reply; returns the square of what was subtracted.
double Subtract(absl::Span<float> own, absl::Span<const float> reply, float share) {
  return RunKernel([&] {
    float* const __restrict x = own.data();
    const float* const __restrict d = reply.data();
    const float factor = share;
    return SumBlockwise(own.size(), [=](size_t i) {
      const float delta = factor * d[i];
      x[i] -= delta;
      return delta * delta;
    });
  });
}

}  // namespace

absl::optional<MixNorms> RespondCoded(const MixRule& rule, absl::Span<float> own,
                                      const CodedBytes& incoming, MixTerms& terms,
                                      const ReplyEncoding& encoding, char* out, size_t* size) {
  TileReader requests(incoming);
  const MixTerms at_first = terms;
  const Codec& codec = *encoding.codec;
  const bool replies = rule.reply_has_payload();
  // What the reply becomes on its way is what must be subtracted here.
  const bool rounds = rule.reply_is_difference() && !codec.contract().exact;
  STARLING_CHECK(!replies || rounds || CarriesValues(codec));
  const float share = rounds ? static_cast<float>(rule.responder_share(terms.staleness)) : 0;
  const bool in_place = codec.wire() == v1::CODEC_FP32 && IsAligned(out);
  alignas(64) float reply[kTileElements];
  MixNorms norms;
  char* to = out;
  for (size_t offset = 0; offset < own.size(); offset += kTileElements) {
    const absl::Span<float> tile = own.subspan(offset, kTileElements);
    if (!AllFinite(tile)) return absl::nullopt;
    const absl::Span<float> answer(reply, replies ? tile.size() : 0);
    const absl::Span<const float> request = requests.Next(tile.size());
    const TileTerms tile_terms{TileKey(encoding.seed, offset / kTileElements), offset,
                               encoding.state};
    if (rounds) {
      norms.squared_distance += rule.Propose(tile, request, answer, terms);
      const size_t used = codec.EncodeTile(answer, tile_terms, to);
      const auto read = codec.DecodeTile(absl::string_view(to, used), answer);
      STARLING_CHECK(read.ok() && *read == used);
      norms.squared_delta += Subtract(tile, answer, share);
      to += used;
      continue;
    }
    // Every tile is mixed with the weights that the whole vector had.
    terms = at_first;
    const absl::Span<float> wanted =
        in_place ? absl::Span<float>(reinterpret_cast<float*>(to), answer.size()) : answer;
    const MixNorms of_tile = rule.Respond(tile, request, wanted, terms);
    norms.squared_distance += of_tile.squared_distance;
    norms.squared_delta += of_tile.squared_delta;
    if (in_place) {
      to += answer.size() * sizeof(float);
    } else if (replies) {
      to += codec.EncodeTile(answer, tile_terms, to);
    }
  }
  if (encoding.state != nullptr) encoding.state->EndPayload();
  *size = static_cast<size_t>(to - out);
  return norms;
}

absl::optional<double> CommitCoded(const MixRule& rule, absl::Span<float> own,
                                   const CodedBytes& snapshot, const CodedBytes& reply,
                                   const MixTerms& terms) {
  TileReader snapshots(rule.commit_reads_snapshot() ? snapshot : CodedBytes());
  TileReader replies(reply);
  double squared_distance = 0;
  for (size_t offset = 0; offset < own.size(); offset += kTileElements) {
    const absl::Span<float> tile = own.subspan(offset, kTileElements);
    if (!AllFinite(tile)) return absl::nullopt;
    const absl::Span<const float> was = snapshots.Next(tile.size());
    squared_distance += rule.Commit(tile, was, replies.Next(tile.size()), terms);
  }
  return squared_distance;
}

}  // namespace starling
