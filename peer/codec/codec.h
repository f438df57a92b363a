// How numbers travel: a codec writes floats as bytes and reads them again, perhaps as other floats
// nearby, and declares how near. README.md draws the formats and tells which codec fits where.
//
// A vector is cut into tiles of kTileElements, the last one shorter, and a payload is the
// concatenation of the tiles' encodings. A tile fits the first-level cache: whoever encodes, decodes
// or mixes goes through the tiles once, and so through memory once, whatever codec and rule meet.
// Every tile describes itself, so reading needs the name of the codec and the number of elements,
// and no option.
//
// Encoding is a pure function of values, key and state: every machine writes the same bytes.
// Decoding takes any bytes, reads none beyond those given, and allocates nothing.
//
// Codecs are immutable, hence shared between threads; a CodecState belongs to one sender.

#ifndef STARLING_PEER_CODEC_CODEC_H_
#define STARLING_PEER_CODEC_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "peer/runtime/isa.h"
#include "proto/peer.pb.h"

namespace starling {

inline constexpr size_t kTileElements = 2048;

// What a codec promises; the conformance suite holds every row of the registry to it.
struct CodecContract {
  // What arrives is what was sent, bit for bit.
  bool exact = false;
  // The mean over all keys of what arrives is what was sent.
  bool unbiased = false;
  // The bytes depend on the key.
  bool keyed = false;
  // > 0: every number takes so many bytes and errs relative to itself alone, so that the encoding of
  // a range is a range of the encoding. Only such codecs may carry values; the error of the others is
  // relative to the largest number around, and never becomes small unless that does, as differences
  // between peers do.
  size_t bytes_per_element = 0;
  // What NewState remembers from one payload to the next.
  enum class State {
    kNone,
    kBudget,    // how many bits were spent, to stay within a budget
    kResidual,  // what was not sent (error feedback), to send it later
  };
  State state = State::kNone;
};

// Bounds of the error over one tile, for a state that is null.
struct CodecError {
  double largest = 0;          // of any element, for every key
  double expected_square = 0;  // sum over the elements of the squared error; mean over all keys
};

// What a tile turned out to be.
struct TileLook {
  size_t bytes = 0;  // that it takes
  float peak = 0;    // no number of it is larger in magnitude
};

class CodecState {
 public:
  virtual ~CodecState() = default;
  // The tiles encoded since the last call were a payload.
  virtual void EndPayload() {}
};

struct TileTerms {
  uint32_t key = 0;             // TileKey of the payload's seed and the tile's number
  size_t offset = 0;            // of the tile in the vector that the state was made for
  CodecState* state = nullptr;  // of the same codec; null: nothing is remembered
};

class Codec {
 public:
  virtual ~Codec() = default;

  // As people write it: "int8", "topk:share=0.01".
  const std::string& spec() const { return spec_; }
  // As frames name it.
  v1::Codec wire() const { return wire_; }
  const CodecContract& contract() const { return contract_; }

  // No tile of `elements` <= kTileElements takes more.
  virtual size_t MaxTileBytes(size_t elements) const = 0;
  // Nor does a whole payload.
  size_t MaxBytes(size_t elements) const {
    return elements / kTileElements * MaxTileBytes(kTileElements) +
           (elements % kTileElements == 0 ? 0 : MaxTileBytes(elements % kTileElements));
  }

  // Writes one tile and returns its size. `out` has room for MaxTileBytes. What is not finite is
  // encoded as something that InspectTile refuses, or saturates where that is documented.
  virtual size_t EncodeTile(absl::Span<const float> values, const TileTerms& terms,
                            char* out) const = 0;

  // Reads one tile from the front of `bytes`; returns how many bytes it took. INVALID_ARGUMENT: no
  // tile of that length begins there; then `values` hold anything.
  virtual absl::StatusOr<size_t> DecodeTile(absl::string_view bytes,
                                            absl::Span<float> values) const = 0;
  // As DecodeTile without the values, and OUT_OF_RANGE if one of them is not finite. What passes
  // here decodes.
  virtual absl::StatusOr<TileLook> InspectTile(absl::string_view bytes, size_t elements) const;

  virtual CodecError ErrorBound(absl::Span<const float> values) const = 0;

  // Null for codecs without state. `elements`: length of the whole vector.
  virtual std::unique_ptr<CodecState> NewState(size_t /*elements*/) const { return nullptr; }

 protected:
  Codec(std::string spec, v1::Codec wire, CodecContract contract)
      : spec_(std::move(spec)), wire_(wire), contract_(contract) {}

  // INVALID_ARGUMENT: "PAYLOAD ends within a tile of 2048 numbers".
  static absl::Status Truncated(size_t elements);

 private:
  const std::string spec_;
  const v1::Codec wire_;
  const CodecContract contract_;
};

}  // namespace starling

#endif  // STARLING_PEER_CODEC_CODEC_H_
