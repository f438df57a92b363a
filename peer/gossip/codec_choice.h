// Which codecs a peer writes its exchanges with, and which of them lead to agreement.
//
// Each peer chooses for what it sends itself, so peers of one swarm may choose differently: a frame
// names its codec.

#ifndef STARLING_PEER_GOSSIP_CODEC_CHOICE_H_
#define STARLING_PEER_GOSSIP_CODEC_CHOICE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peer/codec/codec.h"
#include "peer/codec/registry.h"
#include "peer/gossip/algorithm.h"

namespace starling {

struct CodecChoice {
  // Of requests, which carry parameters. fp32, fp16 or bf16: with a coarser one peers would stay apart
  // by its noise, however long they exchange.
  std::shared_ptr<const Codec> request = PlainCodec();
  // Of replies. Any, if the algorithm answers with a difference, which becomes small as peers agree;
  // else as for requests. Down in bytes: more exchanges until they agree.
  std::shared_ptr<const Codec> reply = PlainCodec();
};

// From --request_codec and --reply_codec. INVALID_ARGUMENT names the flag and the remedy: unknown or a
// bad option, or a coarse codec for requests.
absl::StatusOr<CodecChoice> MakeCodecChoice(absl::string_view request, absl::string_view reply);

// INVALID_ARGUMENT: the algorithm's exchanges cannot reach agreement through these codecs, or it makes
// no exchanges that a codec could be for.
absl::Status CheckCodecs(const Algorithm& algorithm, const CodecChoice& codecs);

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_CODEC_CHOICE_H_
