// Limits of a GrpcTransport.

#ifndef STARLING_PEER_TRANSPORT_GRPC_TRANSPORT_OPTIONS_H_
#define STARLING_PEER_TRANSPORT_GRPC_TRANSPORT_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace starling {

struct GrpcTransportOptions {
  // Bytes of frames that wait to be sent on one stream; above it frames are dropped. A queued
  // payload is a reference, so the memory is the sender's own. Whoever knows the model makes room for it
  // (GrpcTransport::MakeRoomFor). Up: later notice of a slow peer.
  size_t max_queued_bytes = size_t{256} << 20;

  // Bytes of received frames of one stream that wait for the control executor; above it the stream
  // is not read, and the sender has to wait. Memory at worst: this times the number of streams. Up:
  // longer stalls of the control executor go unnoticed by senders.
  size_t max_undelivered_bytes = size_t{64} << 20;

  // Memory of buffers kept for the next frames to be received, in bytes. Best about what one
  // exchange brings at once. Down: more page faults.
  size_t idle_buffer_bytes = size_t{64} << 20;

  // Control calls that wait for the control executor; above it they fail with RESOURCE_EXHAUSTED.
  size_t max_waiting_calls = 1024;

  // A stream to a peer that carried nothing for this long (to half as long again) is closed.
  absl::Duration idle_timeout = absl::Seconds(30);

  // Peers of one host copy payloads from each other's memory where the kernel lets them: about twice as fast as
  // the loopback. Off: everything goes through the network.
  bool same_host_copies = true;

  // INVALID_ARGUMENT names the field.
  absl::Status Validate() const;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_TRANSPORT_OPTIONS_H_
