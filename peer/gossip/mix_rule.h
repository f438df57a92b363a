// How two peers mix a shard: the pure arithmetic of one exchange, in its two halves.
//
// An exchange is a delta-commit transaction (peer/README.md). The responder computes a reply and
// changes its own values in the same pass; the initiator adds what the reply implies to whatever
// its values are by then. For a rule that conserves the sum, what one side adds the other subtracts
// bit for bit, so the sum over both never changes, however many local steps happen in between.
//
// Rules are immutable and stateless, hence shared between threads.

#ifndef STARLING_PEER_GOSSIP_MIX_RULE_H_
#define STARLING_PEER_GOSSIP_MIX_RULE_H_

#include "absl/types/span.h"

namespace starling {

struct MixNorms {
  double squared_distance = 0;  // |own - incoming|^2
  double squared_delta = 0;     // |change of own|^2
};

class MixRule {
 public:
  virtual ~MixRule() = default;

  // True if the request carries the initiator's snapshot; false if it only asks (pull).
  virtual bool request_has_payload() const = 0;

  // True if an exchange leaves the sum over the two peers unchanged. The simulator's conservation
  // checker configures itself by this.
  virtual bool conserves_sum() const = 0;

  // Responder. All spans have the length of the shard (`incoming` is empty if the request has no
  // payload). Writes `reply` and updates `own`.
  virtual MixNorms Respond(absl::Span<float> own, absl::Span<const float> incoming,
                           absl::Span<float> reply) const = 0;

  // Initiator. `snapshot` holds its own values as they were when the request was made. Returns
  // |own - other's|^2 as of the request.
  virtual double Commit(absl::Span<float> own, absl::Span<const float> snapshot,
                      absl::Span<const float> reply) const = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_MIX_RULE_H_
