#include "peer/runtime/buffer_pool.h"

#include <map>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace starling {
namespace {

constexpr std::align_val_t kAlignment{64};

float* Allocate(size_t elements) {
  return static_cast<float*>(::operator new[](elements * sizeof(float), kAlignment));
}

void Free(float* memory) { ::operator delete[](memory, kAlignment); }

}  // namespace

class BufferPool::Shelf {
 public:
  explicit Shelf(size_t limit) : limit_(limit) {}
  ~Shelf() {
    for (auto& [elements, buffers] : idle_) {
      for (float* memory : buffers) Free(memory);
    }
  }

  float* Take(size_t elements) {
    {
      absl::MutexLock lock(&mutex_);
      auto found = idle_.find(elements);
      if (found != idle_.end() && !found->second.empty()) {
        float* memory = found->second.back();
        found->second.pop_back();
        idle_bytes_ -= elements * sizeof(float);
        return memory;
      }
    }
    return Allocate(elements);
  }

  void Return(float* memory, size_t elements) {
    {
      absl::MutexLock lock(&mutex_);
      if (idle_bytes_ + elements * sizeof(float) <= limit_) {
        idle_[elements].push_back(memory);
        idle_bytes_ += elements * sizeof(float);
        return;
      }
    }
    Free(memory);
  }

  size_t idle_bytes() const {
    absl::MutexLock lock(&mutex_);
    return idle_bytes_;
  }

 private:
  const size_t limit_;
  mutable absl::Mutex mutex_;
  std::map<size_t, std::vector<float*>> idle_ ABSL_GUARDED_BY(mutex_);
  size_t idle_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

BufferPool::BufferPool(size_t idle_bytes_limit)
    : shelf_(std::make_shared<Shelf>(idle_bytes_limit)) {}

MutableBuffer BufferPool::Take(size_t elements) {
  std::shared_ptr<float[]> memory(shelf_->Take(elements),
                                  [shelf = shelf_, elements](float* returned) {
                                    shelf->Return(returned, elements);
                                  });
  return MutableBuffer(std::move(memory), elements);
}

size_t BufferPool::idle_bytes() const { return shelf_->idle_bytes(); }

}  // namespace starling
