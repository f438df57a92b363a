// The two halves of an exchange on numbers as they travel: decode, mix, encode and apply in one pass
// over memory, tile by tile in the first-level cache (peer/codec/README.md).
//
// What the responder subtracts is what its reply decodes to, so that both sides apply the same numbers
// whatever the codec. Nothing remembers what a codec left out: it is still part of the difference.

#ifndef STARLING_PEER_GOSSIP_CODED_MIX_H_
#define STARLING_PEER_GOSSIP_CODED_MIX_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "peer/codec/codec.h"
#include "peer/codec/coded_bytes.h"
#include "peer/gossip/mix_rule.h"

namespace starling {

struct ReplyEncoding {
  const Codec* codec = nullptr;
  uint64_t seed = 0;            // another one for every reply
  CodecState* state = nullptr;  // null, or of this codec and for streams without end: kBudget
};

// Both halves look at each tile of `own` before they mix it, while it is in the cache anyway. nullopt: one of its
// numbers was not finite; then what came before it is mixed already, and all of `own` is good for nothing.

// rule.Respond on payloads that passed inspection. `incoming` is empty for rules whose request carries
// nothing. Writes the reply to `out`, which has room for codec->MaxBytes(own.size()), and its size to
// *size: 0 for rules whose reply carries nothing. A codec that is coarse is used only with rules whose
// reply is a difference.
absl::optional<MixNorms> RespondCoded(const MixRule& rule, absl::Span<float> own,
                                      const CodedBytes& incoming, MixTerms& terms,
                                      const ReplyEncoding& encoding, char* out, size_t* size);

// rule.Commit on payloads that passed inspection.
absl::optional<double> CommitCoded(const MixRule& rule, absl::Span<float> own,
                                   const CodedBytes& snapshot, const CodedBytes& reply,
                                   const MixTerms& terms);

// True if the codec may carry parameters themselves, not only differences.
inline bool CarriesValues(const Codec& codec) { return codec.contract().bytes_per_element > 0; }

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_CODED_MIX_H_
