// One bidirectional stream of frames: what its two ends have in common.
//
// Writing: a queue bounded by bytes, one gRPC write at a time; frames are sealed and encoded as
// they leave the queue. Reading: one gRPC read at a time; each frame is decoded and inspected on
// gRPC's thread and then posted to the control executor. When more than `max_undelivered_bytes`
// wait there, the next read is not started, so that HTTP/2 flow control stops the sender. A frame
// that fails inspection is answered with a refusal and only reported; bytes that are no frame at
// all end the stream.
//
// Same host: where the other end's address is one of this machine, payloads are referred to instead of sent
// once both ends have seen that this works (same_host_path.h). They count as queued until the other end
// has copied them, and stay for kAfterlife after the stream has ended.
//
// Life: open; closing after Close() (what is queued still goes out, nothing more is queued); ended
// (no gRPC operation may be started any more). The two ends derive from this class and from a gRPC
// reactor; they are owned by shared_ptr, one of which the reactor holds to itself until OnDone.
//
// Thread-safe.

#ifndef STARLING_PEER_TRANSPORT_GRPC_FRAME_STREAM_H_
#define STARLING_PEER_TRANSPORT_GRPC_FRAME_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "grpcpp/support/byte_buffer.h"
#include "peer/transport/frame.h"
#include "peer/transport/grpc_frame_codec.h"
#include "peer/transport/grpc_stream_shared.h"
#include "peer/transport/same_host_path.h"

namespace starling {

class GrpcFrameStream : public std::enable_shared_from_this<GrpcFrameStream> {
 public:
  virtual ~GrpcFrameStream();

  // Queues a frame. RESOURCE_EXHAUSTED: the queue is full, the frame was dropped and counted.
  // UNAVAILABLE: the stream is closing or has ended. INVALID_ARGUMENT: larger than any peer
  // accepts.
  absl::Status Send(Frame frame);

  // Ends the stream in good order once everything queued is sent.
  void Close();

  // Ends the stream at once; what is queued is dropped. OK means that gRPC knows the reason better:
  // its own call is over. The first reason given stays.
  void End(absl::Status why);

  // True if Send would say UNAVAILABLE.
  bool finished() const;

  // Grows with every frame in either direction; `*busy` if something waits to be sent.
  uint64_t Activity(bool* busy) const;

 protected:
  explicit GrpcFrameStream(std::shared_ptr<GrpcStreamShared> shared);

  // What the derived classes pass on from their reactors.
  void ReadDone(bool ok);
  void WriteDone(bool ok);

  // Starts the first read. Who proposes is the first to talk about a common host, now or, if only the first
  // frame that comes tells where the other end is, then.
  void Begin(bool proposes);
  // Whether the other end may be on this host, as far as is known by now.
  virtual bool OtherEndIsHere() const = 0;

  const std::shared_ptr<GrpcStreamShared>& shared() const { return shared_; }
  // Why the stream ended, and whether Close was called before.
  absl::Status end_reason() const;
  bool closing() const;

 private:
  // The gRPC operations. Called with the mutex held, so they must not call back.
  virtual void StartReadOp(grpc::ByteBuffer* into) = 0;
  // `more`: another one follows at once, so that they may travel together.
  virtual void StartWriteOp(const grpc::ByteBuffer* from, bool more) = 0;
  // The last write is done after Close. True if the stream has thereby ended.
  virtual bool StartCloseOp() = 0;
  // Called once, without the mutex, when the stream has ended through End.
  virtual void EndOp(const absl::Status& why) = 0;
  // gRPC says that nothing more will be read.
  virtual void OnReadsOver() = 0;

  static constexpr absl::Duration kAfterlife = absl::Seconds(5);
  // What has been copied from the other end's memory is told with the next frame, but no later than this.
  static constexpr absl::Duration kTellWithin = absl::Milliseconds(100);

  void PumpWrites();
  // What to write next, in outgoing_. False: nothing.
  bool TakeOutgoing();
  SameHostPath* SameHost() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ProposeSameHost();
  void OnWord(const DecodedFrame& decoded);
  // Whether it is time to tell what was fetched, even alone.
  bool WordIsDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellFetched();
  void Received();
  void Deliver(DecodedFrame decoded);
  void Delivered(size_t charge);
  void Refuse(const v1::ShardHeader& header, FrameFault fault);

  const std::shared_ptr<GrpcStreamShared> shared_;

  mutable absl::Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_reason_ ABSL_GUARDED_BY(mutex_);
  uint64_t activity_ ABSL_GUARDED_BY(mutex_) = 0;

  std::deque<Frame> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // the frame being written included
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<SameHostPath> same_host_ ABSL_GUARDED_BY(mutex_);
  bool proposes_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_something_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<v1::SameHost> word_ ABSL_GUARDED_BY(mutex_);  // to be sent
  bool tell_timer_ ABSL_GUARDED_BY(mutex_) = false;            // runs
  bool tell_now_ ABSL_GUARDED_BY(mutex_) = false;              // has run out
  // Of whoever set writing_, until gRPC has them and until it gives them back.
  grpc::ByteBuffer outgoing_;
  size_t outgoing_charge_ = 0;
  bool outgoing_more_ = false;

  size_t undelivered_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool read_paused_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer incoming_;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_FRAME_STREAM_H_
