// One row of the table of codecs.

#ifndef STARLING_PEER_CODEC_ROW_H_
#define STARLING_PEER_CODEC_ROW_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "peer/codec/codec.h"
#include "peer/runtime/isa.h"

namespace starling {

// An option of a codec and the closed range that it must lie in.
struct CodecOptionSpec {
  absl::string_view name;
  double default_value;
  double minimum;
  double maximum;
  bool whole;  // must be a whole number
  absl::string_view help;
};

// What a row makes a codec from.
struct CodecSetting {
  std::string spec;            // as Codec::spec
  std::vector<double> values;  // of the row's options, in their order, checked
  Isa isa = Isa::kBaseline;
};

struct CodecRow {
  absl::string_view name;
  v1::Codec wire;
  absl::string_view summary;
  std::vector<CodecOptionSpec> options;
  std::shared_ptr<const Codec> (*make)(const CodecSetting& setting);
};

}  // namespace starling

#endif  // STARLING_PEER_CODEC_ROW_H_
