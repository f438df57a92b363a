#include "peer/gossip/data_gate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "peer/codec/codec.h"
#include "peer/codec/peak.h"
#include "peer/codec/registry.h"
#include "peer/gossip/blockwise.h"
#include "peer/runtime/check.h"
#include "peer/runtime/isa.h"

namespace starling {
namespace {

void Add(Magnitude& sum, const Magnitude& part) {
  sum.count += part.count;
  sum.squares += part.squares;
  sum.peak = std::max(sum.peak, part.peak);
}

double SquaresOf(const float* values, size_t count) {
  return RunKernel([=] {
    const float* const __restrict x = values;
    return SumBlockwise(count, [=](size_t i) { return x[i] * x[i]; });
  });
}

// Calls `look` with one tile of the payload after the other.
template <typename Look>
void ForEachTile(const CodedBytes& payload, size_t elements, Look look) {
  const bool aligned = reinterpret_cast<uintptr_t>(payload.bytes.data()) % alignof(float) == 0;
  if (payload.codec == v1::CODEC_FP32 && aligned) return look(payload.bytes.floats());
  const Codec* const codec = FindDecoder(payload.codec);
  STARLING_CHECK(codec != nullptr);
  absl::string_view rest(payload.bytes.data(), payload.bytes.size());
  float tile[kTileElements];
  for (size_t at = 0; at < elements; at += kTileElements) {
    const absl::Span<float> values(tile, std::min(kTileElements, elements - at));
    const auto used = codec->DecodeTile(rest, values);
    STARLING_CHECK(used.ok());
    rest.remove_prefix(*used);
    look(absl::Span<const float>(values));
  }
}

std::string Text(double value) { return absl::StrFormat("%.3g", value); }

}  // namespace

absl::Status DataGateOptions::Validate() const {
  const auto wrong = [](const char* field, double value, const char* must) {
    return absl::InvalidArgumentError(absl::StrCat(field, " ", value, ", must be ", must));
  };
  if (!(ratio > 1) || !std::isfinite(ratio)) return wrong("ratio", ratio, "finite and more than 1");
  if (!(slack >= 1) || !std::isfinite(slack)) return wrong("slack", slack, "finite and at least 1");
  if (!(floor > 0) || !std::isfinite(floor)) return wrong("floor", floor, "finite and above 0");
  return absl::OkStatus();
}

double Magnitude::rms() const {
  return count == 0 ? 0 : std::sqrt(squares / static_cast<double>(count));
}

Magnitude Measure(absl::Span<const float> values) {
  Magnitude measured;
  measured.count = values.size();
  for (size_t at = 0; at < values.size(); at += kTileElements) {
    const absl::Span<const float> tile = values.subspan(at, kTileElements);
    measured.squares += SquaresOf(tile.data(), tile.size());
    measured.peak = std::max(measured.peak, double{PeakOf(tile)});
  }
  return measured;
}

absl::optional<std::string> OutOfScale(const Magnitude& incoming, const Magnitude& own,
                                       const DataGateOptions& options, double slack) {
  const double ratio = options.ratio * slack;
  const double rms_limit = ratio * std::max(own.rms(), options.floor);
  const double peak_limit = ratio * std::max(own.peak, 10 * options.floor);
  const auto told = [&](const char* what, double value, double limit, double ours) {
    return absl::StrCat(what, " ", Text(value), " is out of scale: the limit is ", Text(limit), ", ",
                        Text(ratio), " times ours of ", Text(ours));
  };
  // Written so that NaN and infinity are refused too.
  if (!(incoming.rms() <= rms_limit)) {
    return told("root mean square", incoming.rms(), rms_limit, rms_limit / ratio);
  }
  if (!(incoming.peak <= peak_limit)) {
    return told("largest number", incoming.peak, peak_limit, peak_limit / ratio);
  }
  return absl::nullopt;
}

absl::optional<std::string> OutOfScale(absl::Span<const float> incoming,
                                       absl::Span<const float> own) {
  const DataGateOptions options;
  if (PeakOf(incoming) <= options.ratio * options.slack * options.floor) return absl::nullopt;
  return OutOfScale(Measure(incoming), Measure(own), options, options.slack);
}

void DataGate::Begin(absl::Span<const float> parameters) {
  const size_t length = shard_elements_ == 0 ? parameters.size() : shard_elements_;
  for (size_t at = 0; at < parameters.size(); at += length) {
    shards_.push_back(Measure(parameters.subspan(at, length)));
  }
}

void DataGate::Note(size_t offset, const Magnitude& own) {
  shards_.at(shard_elements_ == 0 ? 0 : offset / shard_elements_) = own;
  all_ = Magnitude();
  for (const Magnitude& each : shards_) Add(all_, each);
}

absl::optional<std::string> DataGate::Judge(absl::Span<const float> parameters, size_t offset,
                                            size_t elements, const CodedBytes& incoming) {
  if (incoming.empty()) return absl::nullopt;
  if (incoming.peak <= options_.ratio * options_.floor) return absl::nullopt;

  if (shards_.empty()) Begin(parameters);
  const Magnitude own = Measure(parameters.subspan(offset, elements));
  if (!std::isfinite(own.peak)) return absl::nullopt;  // whoever mixes them will find that
  Note(offset, own);
  Magnitude scale = all_.rms() > own.rms() ? all_ : own;
  scale.peak = all_.peak;
  Magnitude measured;
  ForEachTile(incoming, elements,
              [&](absl::Span<const float> tile) { Add(measured, Measure(tile)); });
  const bool coarse = FindDecoder(incoming.codec)->contract().bytes_per_element == 0;
  if (coarse && std::isfinite(measured.peak)) measured.peak = 0;
  return OutOfScale(measured, scale, options_, coarse ? options_.slack : 1);
}

}  // namespace starling
