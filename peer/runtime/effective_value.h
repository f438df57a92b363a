// A row of Status.effective: a deadline as it is at present, and where it comes from.

#ifndef STARLING_PEER_RUNTIME_EFFECTIVE_VALUE_H_
#define STARLING_PEER_RUNTIME_EFFECTIVE_VALUE_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/status.pb.h"

namespace starling {

inline v1::EffectiveValue Effective(absl::string_view name, absl::Duration value,
                                    std::string source) {
  v1::EffectiveValue row;
  row.set_name(std::string(name));
  row.set_seconds(absl::ToDoubleSeconds(value));
  row.set_source(std::move(source));
  return row;
}

// "340ms", "2.5s": short enough to be read inside a sentence.
inline std::string ShortText(absl::Duration value) {
  const absl::Duration grain =
      value < absl::Milliseconds(10) ? absl::Microseconds(10) : absl::Milliseconds(1);
  return absl::FormatDuration(absl::Trunc(value, grain));
}

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_EFFECTIVE_VALUE_H_
