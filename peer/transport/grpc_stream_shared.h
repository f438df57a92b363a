// What every stream and call of one GrpcTransport shares, and keeps alive until the last of them is
// over. The link back to the transport is cut when the transport goes; the rest stays valid.

#ifndef STARLING_PEER_TRANSPORT_GRPC_STREAM_SHARED_H_
#define STARLING_PEER_TRANSPORT_GRPC_STREAM_SHARED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "peer/runtime/buffer_pool.h"
#include "peer/runtime/executor.h"
#include "peer/transport/grpc_transport_options.h"
#include "peer/transport/transport.h"

namespace starling {

class GrpcTransport;

class GrpcStreamShared {
 public:
  GrpcStreamShared(Executor* control_executor, const GrpcTransportOptions& transport_options)
      : control(control_executor),
        options(transport_options),
        pool(transport_options.idle_buffer_bytes),
        max_queued_bytes(transport_options.max_queued_bytes) {}

  Executor* const control;
  const GrpcTransportOptions options;
  BufferPool pool;
  std::atomic<size_t> max_queued_bytes;  // at least that of the options

  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> bytes_received{0};
  std::atomic<uint64_t> bytes_copied{0};  // of those, from the memory of processes of this host
  std::atomic<uint64_t> frames_dropped{0};
  // Control calls that arrived and wait for the control executor.
  std::atomic<size_t> calls_waiting{0};

  // Control executor only; null once the transport is gone, or has none.
  GrpcTransport* transport = nullptr;
  Transport::Delegate* delegate = nullptr;

  void SetIdentity(uint64_t sender, uint64_t incarnation, uint64_t run_id) {
    absl::MutexLock lock(&mutex_);
    sender_ = sender;
    incarnation_ = incarnation;
    run_id_ = run_id;
  }

  // Signs a frame that the transport itself sends.
  void Sign(v1::ShardHeader& header) const {
    absl::MutexLock lock(&mutex_);
    header.set_sender(sender_);
    header.set_sender_incarnation(incarnation_);
    header.set_run_id(run_id_);
  }

  // Outgoing streams and calls that gRPC has not finished with.
  void Began() {
    absl::MutexLock lock(&mutex_);
    ++underway_;
  }
  void Finished() {
    absl::MutexLock lock(&mutex_);
    --underway_;
  }
  void AwaitAllFinished() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* underway) { return *underway == 0; }, &underway_));
  }

 private:
  mutable absl::Mutex mutex_;
  uint64_t sender_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t incarnation_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t run_id_ ABSL_GUARDED_BY(mutex_) = 0;
  int underway_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_GRPC_STREAM_SHARED_H_
