// How large numbers are at most: the look that everything gets that comes from elsewhere or goes there. One pass
// at memory speed; next to nothing for what is in the cache.

#ifndef STARLING_PEER_CODEC_PEAK_H_
#define STARLING_PEER_CODEC_PEAK_H_

#include "absl/types/span.h"

namespace starling {

// Largest magnitude; infinity if one of the numbers is not finite.
float PeakOf(absl::Span<const float> values);
// No NaN, no infinity. The same pass.
bool AllFinite(absl::Span<const float> values);

}  // namespace starling

#endif  // STARLING_PEER_CODEC_PEAK_H_
