// The seam to the network: frames that may be lost, and small calls that are answered or fail.
//
// Two kinds of traffic that never share a connection:
//   frames    bulk shards, sent and forgotten; an answer, if any, is another frame;
//   calls     small questions with one answer and a deadline.
// Peers are named by their address, "host:port". Implementations: GrpcTransport, and SimNetwork's
// in the simulator, which loses, delays, duplicates, reorders and corrupts.
//
// Every method is called, and every delegate method and callback is invoked, on the control
// executor. A payload is shared, not copied: it must not change after it was handed over.

#ifndef STARLING_PEER_TRANSPORT_TRANSPORT_H_
#define STARLING_PEER_TRANSPORT_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/transport/frame.h"
#include "proto/peer.pb.h"

namespace starling {

// Leads back to whoever sent a frame. May be kept; does nothing once the way back is gone.
class ReplyPath {
 public:
  virtual ~ReplyPath() = default;
  virtual void Send(Frame frame) = 0;
};

using CallCallback = absl::AnyInvocable<void(absl::StatusOr<v1::ControlResponse>)>;
using ControlResponder = absl::AnyInvocable<void(v1::ControlResponse)>;

class Transport {
 public:
  // Who receives. Frames that fail InspectFrame never arrive here: the transport answers them with
  // a refusal itself and reports it through OnFrameRefused.
  class Delegate {
   public:
    virtual ~Delegate() = default;
    virtual void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) = 0;
    virtual void OnFrameRefused(const v1::ShardHeader& header, v1::RefusalReason reason) = 0;
    // Must call `respond` exactly once, now or later; a responder destroyed uncalled fails the
    // call.
    virtual void OnControl(v1::ControlRequest request, ControlResponder respond) = 0;
    // The data path to `address` broke with frames perhaps underway. Hint, not verdict.
    virtual void OnPathBroken(const std::string& address, const absl::Status& status) = 0;
  };

  virtual ~Transport() = default;

  // Starts delivering. `delegate` outlives the transport or a call with nullptr.
  virtual void SetDelegate(Delegate* delegate) = 0;

  // Queues a frame. OK says nothing about arrival. RESOURCE_EXHAUSTED: the queue to that address
  // is full (bounded by bytes); the frame is dropped.
  virtual absl::Status SendFrame(const std::string& address, Frame frame) = 0;

  // `done` gets the answer, or UNAVAILABLE (nobody there), DEADLINE_EXCEEDED, CANCELLED (shut
  // down).
  virtual void Call(const std::string& address, v1::ControlRequest request, absl::Duration timeout,
                    CallCallback done) = 0;

  // Closes the connections to an address and frees their buffers (the peer died or left).
  virtual void Forget(const std::string& address) = 0;

  // Payload bytes handed to and received from the network so far.
  virtual uint64_t bytes_sent() const = 0;
  virtual uint64_t bytes_received() const = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_TRANSPORT_H_
