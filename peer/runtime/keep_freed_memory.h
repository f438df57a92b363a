// How the C library deals with memory that is freed and soon needed again.

#ifndef STARLING_PEER_RUNTIME_KEEP_FREED_MEMORY_H_
#define STARLING_PEER_RUNTIME_KEEP_FREED_MEMORY_H_

namespace starling {

// Keeps up to 256 MiB of freed memory in the process, and blocks of up to 32 MiB in the heap, instead of giving
// both back to the kernel at once. gRPC frees what it has received megabyte by megabyte, and by default each
// comes back as 256 page faults. To be called first in main. Does nothing where the C library is not glibc.
void KeepFreedMemory();

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_KEEP_FREED_MEMORY_H_
