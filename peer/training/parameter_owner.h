// What other actors may ask of the one who owns the parameters. All methods may be called from any
// thread; the work is done at the trainer's next step boundary and the answer is given on the
// trainer's executor (wrap the callback with Actor::Deliver to get it home).
//
// Requests return false, and do nothing, when the trainer's mailbox is full. They are served whether
// it makes steps or not.
// Offsets and lengths count parameters. Implementation: TrainingActor; tests use a fake.

#ifndef STARLING_PEER_TRAINING_PARAMETER_OWNER_H_
#define STARLING_PEER_TRAINING_PARAMETER_OWNER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "peer/codec/codec.h"
#include "peer/codec/coded_bytes.h"
#include "peer/gossip/mix_rule.h"
#include "peer/runtime/shared_bytes.h"

namespace starling {

// A copy of all parameters at one step boundary.
struct Snapshot {
  SharedBytes values;  // the whole vector, float32 unless another codec was asked for
  uint64_t step = 0;
  uint64_t samples = 0;
  // Push-sum weight given away with each shard; empty unless asked for, or if too little is left to
  // give any away.
  std::vector<double> masses;
  // How `values` are written.
  v1::Codec codec = v1::CODEC_FP32;
};

// A snapshot while it is being taken: the parameters before `to` are there.
struct SnapshotPart {
  Snapshot whole;  // of values from `to` on nothing may be read yet
  size_t from = 0;  // what was told of before ends here; 0: this is the first part
  size_t to = 0;
  // The rest will not come: some of it is not finite.
  bool failed = false;
};

struct MixAnswer {
  CodedBytes reply;             // what goes back to the initiator
  double squared_distance = 0;  // |own - incoming|^2 over the shard; 0 if nothing came in
  double squared_delta = 0;     // |change of own values|^2 over the shard
  uint64_t step = 0;
  // Not empty: what came in is out of scale (DataGate), and nothing was changed; why.
  std::string refused = {};
};

class ParameterOwner {
 public:
  virtual ~ParameterOwner() = default;

  virtual size_t size() const = 0;

  // Through a codec that CarriesValues (coded_mix.h): taking the copy is encoding it.
  virtual bool TakeSnapshot(std::shared_ptr<const Codec> codec,
                            absl::AnyInvocable<void(Snapshot)> done) = 0;

  // TakeSnapshot, but told of piece by piece while the copy is made, so that the first of it can be on its way before
  // the last is copied; it is of one step boundary all the same. A multiple of `piece` parameters, or all, are there
  // each time. Who does not override it tells of everything at once.
  virtual bool StreamSnapshot(std::shared_ptr<const Codec> codec, size_t /*piece*/,
                              absl::AnyInvocable<void(SnapshotPart)> part) {
    return TakeSnapshot(std::move(codec), [part = std::move(part), this](Snapshot whole) mutable {
      part({std::move(whole), 0, size()});
    });
  }

  // A copy of [offset, offset + elements) as fp32, with no masses.
  virtual bool TakeShard(size_t offset, size_t elements,
                         absl::AnyInvocable<void(Snapshot)> done) = 0;

  // TakeSnapshot, but half of each shard's push-sum weight leaves with it.
  virtual bool GiveSnapshot(std::shared_ptr<const Codec> codec,
                            absl::AnyInvocable<void(Snapshot)> done) = 0;
  // Takes back what was given away with the shard at `offset` and did not arrive.
  virtual void ReturnMass(size_t offset, double mass) = 0;

  // Responder's half of an exchange: rule->Respond on the shard [offset, offset + elements).
  // `incoming` has passed inspection, or is empty for rules whose request carries no payload. The
  // owner fills in terms.own_mass. The reply is written with `codec`; see RespondCoded.
  virtual bool RespondToMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                            CodedBytes incoming, MixTerms terms,
                            std::shared_ptr<const Codec> codec,
                            absl::AnyInvocable<void(MixAnswer)> done) = 0;

  // Initiator's half: rule->Commit on the shard, with the snapshot's part and the reply, which has
  // passed inspection (empty if the rule's reply has no payload). `tether`: see Choice. `done` gets
  // |own - other's|^2 over the shard, as the rule knows it; OUT_OF_RANGE: the reply is out of scale
  // (DataGate), and nothing was changed.
  virtual bool CommitMix(std::shared_ptr<const MixRule> rule, size_t offset, size_t elements,
                         CodedBytes snapshot, CodedBytes reply, MixTerms terms, uint32_t tether,
                         absl::AnyInvocable<void(absl::StatusOr<double>)> done) = 0;

  // No tether has an anchor from now on.
  virtual void DropAnchors() = 0;

  // parameters += average - snapshot, over [offset, offset + length).
  virtual bool ApplyDisplacement(size_t offset, SharedBytes average, SharedBytes snapshot,
                                 absl::AnyInvocable<void()> done) = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_TRAINING_PARAMETER_OWNER_H_
