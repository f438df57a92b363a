// dqsgd (Yan et al., arXiv 2107.14575): as qsgd, but every bucket takes as many bits as its norm
// deserves (bit_budget.h). A tile is its buckets, each a byte `bits` and a bucket as in levels.h, or
// a byte 0 alone for a bucket of zeros.

#include <algorithm>
#include <cmath>

#include "peer/codec/bit_budget.h"
#include "peer/codec/bits.h"
#include "peer/codec/levels.h"
#include "peer/codec/row.h"

namespace starling {
namespace {

class DqsgdState final : public CodecState {
 public:
  explicit DqsgdState(double bits) : budget(bits) {}
  void EndPayload() override { budget.EndPayload(); }

  BitBudget budget;
};

class DqsgdCodec final : public Codec {
 public:
  DqsgdCodec(const CodecSetting& setting, double bits)
      : Codec(setting.spec, v1::CODEC_DQSGD,
              {.unbiased = true, .keyed = true, .state = CodecContract::State::kBudget}),
        isa_(setting.isa),
        bits_(bits) {}

  size_t MaxTileBytes(size_t elements) const override {
    const size_t rest = elements % kBucket;
    return elements / kBucket * (1 + BucketBytes(kBucket, kMostBits)) +
           (rest == 0 ? 0 : 1 + BucketBytes(rest, kMostBits));
  }

  std::unique_ptr<CodecState> NewState(size_t) const override {
    return std::make_unique<DqsgdState>(bits_);
  }

  size_t EncodeTile(absl::Span<const float> values, const TileTerms& terms,
                    char* out) const override {
    BitBudget* const budget =
        terms.state == nullptr ? nullptr : &static_cast<DqsgdState*>(terms.state)->budget;
    const Plan plan = PlanFor(values, budget);
    char* to = out;
    size_t index = 0;
    for (size_t begin = 0; begin < values.size(); begin += kBucket, ++index) {
      const auto bucket = values.subspan(begin, kBucket);
      const uint32_t bits = plan.bits[index];
      *to++ = static_cast<char>(bits);
      if (bits == 0) continue;
      EncodeBucket(bucket, plan.norms[index], bits, terms.key, static_cast<uint32_t>(begin), isa_,
                   to);
      to += BucketBytes(bucket.size(), bits);
    }
    const auto size = static_cast<size_t>(to - out);
    if (budget != nullptr) budget->OnEncoded(values.size(), 8 * size);
    return size;
  }

  absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                    absl::Span<float> values) const override {
    size_t used = 0;
    for (size_t begin = 0; begin < values.size(); begin += kBucket) {
      const auto bucket = values.subspan(begin, kBucket);
      const absl::StatusOr<uint32_t> bits = NextBucket(bytes, bucket.size(), &used);
      if (!bits.ok()) return bits.status();
      if (*bits == 0) {
        std::fill(bucket.begin(), bucket.end(), 0.0f);
        continue;
      }
      DecodeBucket(bytes.data() + used - BucketBytes(bucket.size(), *bits), *bits, isa_, bucket);
    }
    return used;
  }

  absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const override {
    TileLook look;
    for (size_t begin = 0; begin < elements; begin += kBucket) {
      const size_t length = std::min(kBucket, elements - begin);
      const absl::StatusOr<uint32_t> bits = NextBucket(bytes, length, &look.bytes);
      if (!bits.ok()) return bits.status();
      if (*bits == 0) continue;
      const float peak = BucketPeak(bytes.data() + look.bytes - BucketBytes(length, *bits));
      if (!std::isfinite(peak)) {
        return absl::OutOfRangeError("payload holds a norm that is not finite");
      }
      look.peak = std::max(look.peak, peak);
    }
    return look;
  }

  CodecError ErrorBound(absl::Span<const float> values) const override {
    const Plan plan = PlanFor(values, nullptr);
    CodecError error;
    size_t index = 0;
    for (size_t begin = 0; begin < values.size(); begin += kBucket, ++index) {
      const CodecError bucket =
          BucketError(values.subspan(begin, kBucket), std::max(plan.bits[index], kLeastBits));
      error.largest = std::max(error.largest, bucket.largest);
      error.expected_square += bucket.expected_square;
    }
    return error;
  }

 private:
  static constexpr size_t kBuckets = kTileElements / kBucket;
  struct Plan {
    float norms[kBuckets] = {};
    uint32_t bits[kBuckets] = {};
  };

  // Without a budget the tile has one of its own.
  Plan PlanFor(absl::Span<const float> values, BitBudget* budget) const {
    Plan plan;
    double sum = 0;
    size_t index = 0;
    size_t counted = 0;
    for (size_t begin = 0; begin < values.size(); begin += kBucket, ++index) {
      plan.norms[index] = BucketNorm(values.subspan(begin, kBucket), isa_);
      if (plan.norms[index] > 0 && IsFinite(plan.norms[index])) {
        sum += plan.norms[index];
        ++counted;
      }
    }
    double fineness = budget == nullptr ? 0 : budget->fineness();
    if (fineness == 0 && counted > 0) {
      const double norm = sum / static_cast<double>(counted);
      fineness = BitBudget::FinenessFor(norm, bits_);
      if (budget != nullptr) budget->Calibrate(norm);
    }
    const bool overspent = budget != nullptr && budget->overspent();
    for (size_t i = 0; i < index; ++i) {
      if (plan.norms[i] == 0) continue;
      plan.bits[i] = overspent || !IsFinite(plan.norms[i]) ? kLeastBits
                                                           : BitsForNorm(plan.norms[i], fineness);
    }
    return plan;
  }

  // Steps over the bucket that begins at *used and returns its bits.
  static absl::StatusOr<uint32_t> NextBucket(absl::string_view bytes, size_t elements,
                                             size_t* used) {
    if (bytes.size() - *used < 1) return Truncated(elements);
    const uint32_t bits = static_cast<uint8_t>(bytes[*used]);
    ++*used;
    if (bits == 0) return bits;
    if (bits < kLeastBits || bits > kMostBits) {
      return absl::InvalidArgumentError("payload holds a bucket of an unknown number of bits");
    }
    if (bytes.size() - *used < BucketBytes(elements, bits)) return Truncated(elements);
    *used += BucketBytes(elements, bits);
    return bits;
  }

  const Isa isa_;
  const double bits_;
};

}  // namespace

CodecRow DqsgdRow() {
  return {"dqsgd",
          v1::CODEC_DQSGD,
          "as qsgd, with more bits where and when differences are large",
          {{"bits", 4, 3.25, kMostBits, false,
            "bits a number on average, all overheads included; one more halves the noise"}},
          [](const CodecSetting& setting) -> std::shared_ptr<const Codec> {
            return std::make_shared<DqsgdCodec>(setting, setting.values[0]);
          }};
}

}  // namespace starling
