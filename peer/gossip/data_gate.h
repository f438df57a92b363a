// Whether numbers that somebody else sent may touch our parameters: those that are finite, but far
// beyond anything that we know, may not.
//
// A contribution is measured by its root mean square and by its largest number, and refused if
//
//     rms  > ratio x max(our rms,  floor)              ours: of the shard that it is for, or of all
//     peak > ratio x max(our peak, 10 x floor)         parameters, whichever is larger
//
// The shard is measured as it is now (own values that are not finite judge nobody); of all parameters the gate keeps a running account, shard by shard as
// each was last measured, so that a shard of biases that are still zero is not held to zero. An rms is never
// above the peak, so what has no number above ratio x floor, as its inspection has found, is let in, and nothing is
// measured: it costs nothing where parameters are below 10, as they are in most networks.
//
// Why this refuses nothing honest. Peers that differ most are one that has just begun and one that is done, or
// two halves of a healed partition; between the two, weights of a network grow by less than ten times their
// rms, as far as we have seen, and what begins at exactly zero is covered by the floor. A difference (the
// reply of an exchange that sends one) is at most as large as both together. A coarse codec may round what
// belongs to many numbers into a few: qsgd of 3 bits raises the rms by up to 4 and the peak to the norm of a
// tile, so differences through such codecs, and what rounds carry (gradients, displacements), have `slack`
// times the limit, and no limit of the peak if coarse.
//
// What it does not catch: anything smaller than that. A sign flip has the norm of an honest contribution, and
// passes. Nor does it follow an attacker who grows by less than `ratio` each time.
//
// Pure; owned by whoever owns the parameters. Not thread-safe.

#ifndef STARLING_PEER_GOSSIP_DATA_GATE_H_
#define STARLING_PEER_GOSSIP_DATA_GATE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "peer/codec/coded_bytes.h"

namespace starling {

struct DataGateOptions {
  // Up: cruder mistakes pass; down: peers that differ much cannot meet. More than 1.
  double ratio = 100;
  // Additional factor for coarse differences and for rounds. At least 1.
  double slack = 10;
  // What counts as the least scale of parameters, in their own unit. Up: less is refused while our parameters
  // are small; down: a network that begins at zero may refuse one that has trained. Above 0.
  double floor = 0.1;

  // INVALID_ARGUMENT, naming the field.
  absl::Status Validate() const;
};

// How large numbers are.
struct Magnitude {
  size_t count = 0;
  double squares = 0;  // sum of the squares
  double peak = 0;     // largest magnitude

  double rms() const;
};

Magnitude Measure(absl::Span<const float> values);

// The gate without a memory: why `incoming` may not be mixed into what is `own`, with the figure and its limit
// in one line; nullopt if it may. `slack` multiplies the limit.
absl::optional<std::string> OutOfScale(const Magnitude& incoming, const Magnitude& own,
                                       const DataGateOptions& options, double slack = 1);

// What rounds ask before they add a contribution, or take a mean over: both fp32.
absl::optional<std::string> OutOfScale(absl::Span<const float> incoming,
                                       absl::Span<const float> own);

class DataGate {
 public:
  // Parameters in shards of so many; 0: all in one.
  DataGate(size_t shard_elements, DataGateOptions options)
      : shard_elements_(shard_elements), options_(options) {}

  // The parameters were replaced: the account begins anew.
  void Forget() { shards_.clear(); }

  // Why the incoming values or difference, which passed inspection, may not be mixed into `elements` of the
  // parameters from `offset` on, a shard; nullopt if they may.
  absl::optional<std::string> Judge(absl::Span<const float> parameters, size_t offset, size_t elements,
                                    const CodedBytes& incoming);

 private:
  void Begin(absl::Span<const float> parameters);
  void Note(size_t offset, const Magnitude& own);

  const size_t shard_elements_;
  const DataGateOptions options_;
  std::vector<Magnitude> shards_;  // as last measured; empty before anything was
  Magnitude all_;                  // their sum; the peak is the largest of them as of the last Note
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_DATA_GATE_H_
