#include "peer/runtime/keep_freed_memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace starling {

void KeepFreedMemory() {
#if defined(M_TRIM_THRESHOLD) && defined(M_MMAP_THRESHOLD)
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
}

}  // namespace starling
