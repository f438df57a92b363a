// Where a frame goes: admits it (run, epoch, model, geometry), refuses what does not belong here
// with a reason, hands the rest to the actor that its kind names, and counts both.
//
// It also keeps the book of offences (gossip/offence_ledger.h): values that are not finite or out of scale are
// charged to their sender, and what a quarantined peer sends to be mixed is refused before anybody looks at it.
// It may still fetch a state to start afresh, and settle what was begun.
//
// Executor: control.

#ifndef STARLING_PEER_FRAME_ROUTER_H_
#define STARLING_PEER_FRAME_ROUTER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "peer/averaging/averaging_actor.h"
#include "peer/gossip/admission.h"
#include "peer/gossip/gossip_actor.h"
#include "peer/gossip/offence_ledger.h"
#include "peer/rounds/rounds_actor.h"
#include "peer/state/average_evaluation.h"
#include "peer/state/joiner.h"
#include "peer/state/state_keeper.h"
#include "peer/transport/transport.h"

namespace starling {

class FrameRouter : public Transport::Delegate {
 public:
  struct Actors {
    GossipActor* gossip;
    AveragingActor* averaging;
    RoundsActor* rounds;
    StateKeeper* keeper;
    Joiner* joiner;
    AverageEvaluation* average_evaluation;
  };
  struct Offences {
    OffenceOptions options;  // valid
    std::function<absl::Time()> now;
    // A quarantine begins.
    std::function<void(PeerId, const Quarantine&)> on_quarantine;
  };
  // Not owned; outlive the router. `on_control` answers calls, `on_path_broken` hears of breaks.
  FrameRouter(const FrameIdentity& self, Actors actors,
              std::function<void(v1::ControlRequest, ControlResponder)> on_control,
              std::function<void(const std::string&, const absl::Status&)> on_path_broken,
              std::function<void(const std::string&)> log, Offences offences);

  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override;
  void OnFrameRefused(const v1::ShardHeader& header, v1::RefusalReason reason) override;
  void OnControl(v1::ControlRequest request, ControlResponder respond) override;
  void OnPathBroken(const std::string& address, const absl::Status& status) override;

  // Asked before a shard is given to a newcomer: is what we have of now? Default: always.
  void SetInTouch(std::function<bool()> in_touch) { in_touch_ = std::move(in_touch); }

  // Donors answer only once this peer has parameters worth having.
  void SetServingState(bool serving) { serving_state_ = serving; }

  // A frame that was dispatched proved unfit: counts that, and tells the sender if it asked for something and
  // there is a way back.
  void Refuse(const v1::ShardHeader& header, const FrameFault& fault, ReplyPath* reply);

  void FillStatus(v1::GossipStatus& status) const;
  uint32_t OffencesOf(PeerId peer) const { return offences_.OffencesOf(now_(), peer); }

 private:
  void Reply(const v1::ShardHeader& header, const FrameFault& fault, ReplyPath* reply);
  void NoteOffence(const v1::ShardHeader& header, v1::RefusalReason reason,
                   const std::string& detail);
  absl::optional<FrameFault> Dispatch(Frame frame, const std::shared_ptr<ReplyPath>& reply);
  void CountRefused(const v1::ShardHeader& header, v1::RefusalReason reason,
                    const std::string& detail);

  const FrameIdentity self_;
  const Actors actors_;
  const std::function<void(v1::ControlRequest, ControlResponder)> on_control_;
  const std::function<void(const std::string&, const absl::Status&)> on_path_broken_;
  const std::function<void(const std::string&)> log_;
  const std::function<absl::Time()> now_;
  const std::function<void(PeerId, const Quarantine&)> on_quarantine_;
  OffenceLedger offences_;
  std::function<bool()> in_touch_ = [] { return true; };
  bool serving_state_ = false;
  std::map<v1::RefusalReason, uint64_t> refused_;   // by us
  std::map<v1::RefusalReason, uint64_t> refusals_;  // by others
};

}  // namespace starling

#endif  // STARLING_PEER_FRAME_ROUTER_H_
