#include "peer/runtime/buffer_pool.h"

#include <sys/mman.h>

#include <map>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace starling {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

size_t AlignmentOf(size_t bytes) { return bytes >= kHugePage ? kHugePage : kAlignment; }

float* Allocate(size_t elements) {
  const size_t bytes = elements * sizeof(float);
  const size_t alignment = AlignmentOf(bytes);
  void* const memory = ::operator new[](bytes, std::align_val_t{alignment});
#if defined(MADV_HUGEPAGE)
  // A model's worth of small pages costs as much to fault in as to copy. Only advice.
  if (alignment == kHugePage) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return static_cast<float*>(memory);
}

void Free(float* memory, size_t elements) {
  ::operator delete[](memory, std::align_val_t{AlignmentOf(elements * sizeof(float))});
}

}  // namespace

class BufferPool::Shelf {
 public:
  explicit Shelf(size_t limit) : limit_(limit) {}
  ~Shelf() {
    for (auto& [elements, buffers] : idle_) {
      for (float* memory : buffers) Free(memory, elements);
    }
  }

  float* Take(size_t elements) {
    {
      absl::MutexLock lock(&mutex_);
      auto found = idle_.find(elements);
      if (found != idle_.end()) return Remove(found);
    }
    return Allocate(elements);
  }

  void Return(float* memory, size_t elements) {
    std::vector<std::pair<float*, size_t>> surplus;
    {
      absl::MutexLock lock(&mutex_);
      const size_t bytes = elements * sizeof(float);
      // Sizes that nobody takes any more make room for the one in use.
      while (bytes <= limit_ && idle_bytes_ + bytes > limit_) {
        auto other = idle_.begin();
        if (other != idle_.end() && other->first == elements) ++other;
        if (other == idle_.end()) break;
        const size_t size = other->first;
        surplus.emplace_back(Remove(other), size);
      }
      if (idle_bytes_ + bytes <= limit_) {
        idle_[elements].push_back(memory);
        idle_bytes_ += bytes;
      } else {
        surplus.emplace_back(memory, elements);
      }
    }
    for (const auto& [freed, size] : surplus) Free(freed, size);
  }

  size_t idle_bytes() const {
    absl::MutexLock lock(&mutex_);
    return idle_bytes_;
  }

 private:
  // By size; no entry is empty.
  using Idle = std::map<size_t, std::vector<float*>>;

  float* Remove(Idle::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    float* memory = entry->second.back();
    idle_bytes_ -= entry->first * sizeof(float);
    entry->second.pop_back();
    if (entry->second.empty()) idle_.erase(entry);
    return memory;
  }

  const size_t limit_;
  mutable absl::Mutex mutex_;
  Idle idle_ ABSL_GUARDED_BY(mutex_);
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
