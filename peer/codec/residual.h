// Error feedback: what a codec did not send is added to what it sends next, so that nothing is lost
// in the long run: the sum of all that arrived and of the residual is the sum of all that was to be
// sent.
//
// For streams of things that the sender forgets, such as gradients. Not for the replies of an
// exchange: there the sender applies what was really sent, and what was not is still part of the
// difference when the two meet next; to add it again would count it twice.

#ifndef STARLING_PEER_CODEC_RESIDUAL_H_
#define STARLING_PEER_CODEC_RESIDUAL_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "peer/codec/codec.h"
#include "peer/runtime/check.h"

namespace starling {

class ResidualState final : public CodecState {
 public:
  explicit ResidualState(size_t elements) : residual_(elements) {}

  // Residual of a tile. The tile must lie within the vector.
  absl::Span<float> Of(size_t offset, size_t elements) {
    STARLING_CHECK(offset <= residual_.size() && elements <= residual_.size() - offset);
    return absl::MakeSpan(residual_).subspan(offset, elements);
  }

 private:
  std::vector<float> residual_;
};

// Calls `encode(values)`, which must set to 0 those of `values` that it sent, on the tile's values
// plus their residual, and keeps the rest for the next time. Without a state nothing is kept.
template <typename Encode>
size_t WithResidual(absl::Span<const float> values, const TileTerms& terms, Encode encode) {
  STARLING_CHECK(values.size() <= kTileElements);
  float wanted[kTileElements];
  const absl::Span<float> rest(wanted, values.size());
  if (terms.state == nullptr) {
    for (size_t i = 0; i < rest.size(); ++i) rest[i] = values[i];
    return encode(rest);
  }
  const absl::Span<float> residual =
      static_cast<ResidualState*>(terms.state)->Of(terms.offset, values.size());
  for (size_t i = 0; i < rest.size(); ++i) rest[i] = values[i] + residual[i];
  const size_t size = encode(rest);
  for (size_t i = 0; i < rest.size(); ++i) residual[i] = rest[i];
  return size;
}

}  // namespace starling

#endif  // STARLING_PEER_CODEC_RESIDUAL_H_
