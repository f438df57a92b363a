#include "peer/codec/registry.h"

#include <cmath>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "peer/runtime/check.h"
#include "peer/runtime/nearest_name.h"

// Every codec: a function of this name in a file of this room makes its row. Finest first.
#define STARLING_CODECS(ROW) \
  ROW(Fp32Row)               \
  ROW(Fp16Row)               \
  ROW(Bf16Row)               \
  ROW(Int8Row)               \
  ROW(QsgdRow)               \
  ROW(DqsgdRow)              \
  ROW(TopkRow)               \
  ROW(RandkRow)

namespace starling {

#define STARLING_DECLARE(name) CodecRow name();
STARLING_CODECS(STARLING_DECLARE)
#undef STARLING_DECLARE

namespace {

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const CodecRow& row : CodecRegistry()) names.emplace_back(row.name);
  return names;
}

// "0.01" or "1/100".
bool ParseValue(absl::string_view text, double* value) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  double denominator = 1;
  if (!absl::SimpleAtod(parts.first, value)) return false;
  if (parts.second.empty()) return text.find('/') == absl::string_view::npos;
  if (!absl::SimpleAtod(parts.second, &denominator) || denominator == 0) return false;
  *value /= denominator;
  return true;
}

absl::Status ParseOption(const CodecRow& row, absl::string_view item,
                         std::vector<double>* values) {
  const std::pair<absl::string_view, absl::string_view> option =
      absl::StrSplit(item, absl::MaxSplits('=', 1));
  std::vector<std::string> known;
  for (size_t i = 0; i < row.options.size(); ++i) {
    const CodecOptionSpec& spec = row.options[i];
    known.emplace_back(spec.name);
    if (spec.name != option.first) continue;
    double value = 0;
    if (!ParseValue(option.second, &value) || !(value >= spec.minimum && value <= spec.maximum) ||
        (spec.whole && value != std::floor(value))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "option \"", spec.name, "\" of codec \"", row.name, "\" is \"",
          absl::CHexEscape(option.second.substr(0, 64)), "\"; it must be ",
          spec.whole ? "a whole number in [" : "in [", spec.minimum, ", ", spec.maximum,
          "]: ", spec.help));
    }
    (*values)[i] = value;
    return absl::OkStatus();
  }
  if (known.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("codec \"", row.name,
                                                   "\" has no options, but is given \"",
                                                   absl::CHexEscape(item.substr(0, 64)), "\""));
  }
  return UnknownNameError(absl::StrCat("option of codec ", row.name), option.first, known);
}

}  // namespace

const std::vector<CodecRow>& CodecRegistry() {
#define STARLING_CALL(name) name(),
  static const auto* const rows = new std::vector<CodecRow>{STARLING_CODECS(STARLING_CALL)};
#undef STARLING_CALL
  return *rows;
}

absl::StatusOr<std::shared_ptr<const Codec>> MakeCodec(absl::string_view spec, Isa isa) {
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(spec, absl::MaxSplits(':', 1));
  for (const CodecRow& row : CodecRegistry()) {
    if (row.name != halves.first) continue;
    CodecSetting setting{std::string(spec), {}, isa};
    for (const CodecOptionSpec& option : row.options) {
      setting.values.push_back(option.default_value);
    }
    if (halves.first.size() < spec.size()) {
      for (absl::string_view item : absl::StrSplit(halves.second, ',')) {
        const absl::Status status = ParseOption(row, item, &setting.values);
        if (!status.ok()) return status;
      }
    }
    return row.make(setting);
  }
  return UnknownNameError("codec", halves.first, Names());
}

const std::shared_ptr<const Codec>& PlainCodec() {
  static const auto* const plain = new std::shared_ptr<const Codec>(*MakeCodec("fp32"));
  return *plain;
}

const Codec* FindDecoder(v1::Codec wire) {
  static const auto* const decoders = [] {
    auto* made = new std::map<v1::Codec, std::shared_ptr<const Codec>>();
    for (const CodecRow& row : CodecRegistry()) {
      const auto codec = MakeCodec(row.name);
      STARLING_CHECK(codec.ok() && (*codec)->wire() == row.wire);
      STARLING_CHECK(made->emplace(row.wire, *codec).second);
    }
    return made;
  }();
  const auto found = decoders->find(wire);
  return found == decoders->end() ? nullptr : found->second.get();
}

std::string CodecNames() { return absl::StrJoin(Names(), ", "); }

}  // namespace starling
