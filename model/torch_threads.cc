#include "model/torch_threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <atomic>
#include <exception>
#include <mutex>

namespace starling {
namespace {

void UseOneInteropThread() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      at::set_num_interop_threads(1);
    } catch (const std::exception&) {
      // Someone in this process has run operations side by side already; the number stays as it is.
    }
  });
}

// Not in any header that LibTorch needs, and absent when another BLAS is installed.
void UseBlasThreads(int threads) {
  using SetThreads = void (*)(int);
  static const auto set_threads =
      reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  static std::atomic<int> current = 0;
  if (set_threads != nullptr && current.exchange(threads) != threads) set_threads(threads);
}

}  // namespace

void UseTorchThreads(int threads) {
  UseOneInteropThread();
  UseBlasThreads(threads);
  thread_local int current = 0;
  if (current != threads) at::set_num_threads(threads);
  current = threads;
}

}  // namespace starling
