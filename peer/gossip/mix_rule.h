// How two peers mix a shard: the pure arithmetic of one exchange, in its two halves.
//
// An exchange is a delta-commit transaction (peer/README.md). The responder computes a reply and
// changes its own values in the same pass; the initiator adds what the reply implies to whatever
// its values are by then. For a rule that conserves the sum, what one side adds the other subtracts
// bit for bit, so the sum over both never changes, however many local steps happen in between.
//
// A rule declares what it guarantees; the simulator's checkers and the conformance suite configure
// themselves by that.
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

// What a rule may weigh beside the values.
struct MixTerms {
  // Of the initiator, as its request says: 0 fresh, 1 long out of touch.
  double staleness = 0;
  // Push-sum: weight that came with the values, and the responder's own, which Respond updates.
  double incoming_mass = 0;
  double own_mass = 1;
};

class MixRule {
 public:
  virtual ~MixRule() = default;

  // True if the request carries the initiator's snapshot; false if it only asks (pull).
  virtual bool request_has_payload() const = 0;
  // False if the reply only acknowledges (push). Then Respond gets an empty `reply`.
  virtual bool reply_has_payload() const { return true; }

  // True if the reply is a difference between the two peers, which becomes small as they agree, so that
  // it may travel through a coarse codec. Then there is Propose.
  virtual bool reply_is_difference() const { return false; }
  // False if Commit does without the snapshot, and may be given none.
  virtual bool commit_reads_snapshot() const { return false; }

  // True if an exchange leaves the sum over the two peers unchanged.
  virtual bool conserves_sum() const = 0;
  // True if half of the initiator's push-sum weight travels with its snapshot. Then the sum of
  // weight times values is what an exchange conserves, and the sum of the weights.
  virtual bool moves_mass() const { return false; }
  // Share of the reply's delta that the initiator adds, and that the responder subtracts, for an
  // initiator that stale: both 1 unless the rule weighs the two sides differently. The sum over the
  // pair changes by (initiator - responder) times the delta: the rule's declared defect.
  virtual double initiator_share(double /*staleness*/) const { return 1; }
  virtual double responder_share(double /*staleness*/) const { return 1; }

  // Responder. All spans have the length of the shard, apart from those that carry nothing. Writes
  // `reply`, updates `own` and, if the rule moves mass, terms.own_mass.
  virtual MixNorms Respond(absl::Span<float> own, absl::Span<const float> incoming,
                           absl::Span<float> reply, MixTerms& terms) const = 0;

  // Responder, if reply_is_difference(): writes the reply, changes nothing else and returns
  // |own - incoming|^2. Respond is Propose, and own -= responder_share() * reply; with a codec in
  // between, the caller subtracts what the reply has become.
  virtual double Propose(absl::Span<const float> /*own*/, absl::Span<const float> /*incoming*/,
                         absl::Span<float> /*reply*/, const MixTerms& /*terms*/) const {
    return 0;
  }

  // Initiator. `snapshot` holds its own values as they were when the request was made. Returns
  // |own - other's|^2 as of the request; 0 if the reply has no payload.
  virtual double Commit(absl::Span<float> own, absl::Span<const float> snapshot,
                        absl::Span<const float> reply, const MixTerms& terms) const = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_MIX_RULE_H_
