#include "model/fingerprint.h"

#include <xxhash.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace starling {

ModelFingerprint FingerprintOf(absl::string_view model, const std::vector<NamedShape>& parameters) {
  std::string text = absl::StrCat(model, "\n");
  for (const NamedShape& parameter : parameters) {
    absl::StrAppend(&text, parameter.name, " ", absl::StrJoin(parameter.shape, "x"), "\n");
  }
  const uint64_t hash = XXH3_64bits(text.data(), text.size());
  return ModelFingerprint(hash != 0 ? hash : 1);
}

}  // namespace starling
