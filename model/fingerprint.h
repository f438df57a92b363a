// How a model is recognised: by the names and shapes of its parameters, in order.

#ifndef STARLING_MODEL_FINGERPRINT_H_
#define STARLING_MODEL_FINGERPRINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "peer/runtime/ids.h"

namespace starling {

struct NamedShape {
  std::string name;
  std::vector<int64_t> shape;
};

// The same on every machine; never the empty id. The model's name is part of it: networks that
// compute different things are not averaged even if their parameters have the same shapes.
ModelFingerprint FingerprintOf(absl::string_view model, const std::vector<NamedShape>& parameters);

}  // namespace starling

#endif  // STARLING_MODEL_FINGERPRINT_H_
