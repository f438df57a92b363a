// Keeps float buffers for reuse: a fresh 10 MB allocation costs more in page faults than the copy
// into it. A buffer goes back to the pool when its last reference dies, on whatever thread.
//
// The pool keeps at most `idle_bytes_limit` of unused memory: buffers of other sizes are freed to
// make room for one that comes back, then that one itself. It never limits what is in use (those
// limits belong to the queues that hold the buffers). Thread-safe.

#ifndef STARLING_PEER_RUNTIME_BUFFER_POOL_H_
#define STARLING_PEER_RUNTIME_BUFFER_POOL_H_

#include <cstddef>
#include <memory>

#include "absl/types/span.h"
#include "peer/runtime/shared_bytes.h"

namespace starling {

// A buffer that is still being written; Freeze makes it immutable and shareable.
class MutableBuffer {
 public:
  MutableBuffer() = default;
  MutableBuffer(std::shared_ptr<float[]> memory, size_t elements)
      : memory_(std::move(memory)), elements_(elements) {}

  absl::Span<float> floats() const { return {memory_.get(), elements_}; }
  size_t bytes() const { return elements_ * sizeof(float); }

  SharedBytes Freeze() && {
    const float* data = memory_.get();
    return SharedBytes(std::move(memory_), data, elements_ * sizeof(float));
  }

 private:
  std::shared_ptr<float[]> memory_;
  size_t elements_ = 0;
};

class BufferPool {
 public:
  explicit BufferPool(size_t idle_bytes_limit);

  // Contents are undefined. 64-byte aligned.
  MutableBuffer Take(size_t elements);

  size_t idle_bytes() const;

 private:
  class Shelf;
  // Buffers hold the shelf, so that they may outlive the pool.
  const std::shared_ptr<Shelf> shelf_;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_BUFFER_POOL_H_
