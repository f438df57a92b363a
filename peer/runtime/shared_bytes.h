// An immutable range of memory with a shared owner: how tensors travel between actors and to the
// wire without being copied. Copying a SharedBytes copies a reference. Thread-safe as a
// shared_ptr<const T> is.

#ifndef STARLING_PEER_RUNTIME_SHARED_BYTES_H_
#define STARLING_PEER_RUNTIME_SHARED_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/types/span.h"
#include "peer/runtime/check.h"

namespace starling {

class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(std::shared_ptr<const void> owner, const void* data, size_t size)
      : owner_(std::move(owner)), data_(static_cast<const char*>(data)), size_(size) {}

  const char* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  SharedBytes Slice(size_t offset, size_t size) const {
    STARLING_CHECK(offset <= size_ && size <= size_ - offset);
    return SharedBytes(owner_, data_ + offset, size);
  }

  // The bytes as float32. They must be aligned and a whole number of floats: true of everything
  // that came from a BufferPool.
  absl::Span<const float> floats() const {
    STARLING_CHECK(reinterpret_cast<uintptr_t>(data_) % alignof(float) == 0);
    STARLING_CHECK(size_ % sizeof(float) == 0);
    return {reinterpret_cast<const float*>(data_), size_ / sizeof(float)};
  }

 private:
  std::shared_ptr<const void> owner_;
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_SHARED_BYTES_H_
