// STARLING_CHECK(condition): aborts with file, line and condition when one of our own invariants is
// broken, in every build mode. Never reached by anything that comes from network, file or flag.

#ifndef STARLING_PEER_RUNTIME_CHECK_H_
#define STARLING_PEER_RUNTIME_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define STARLING_CHECK(condition)                                                            \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: invariant broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

#endif  // STARLING_PEER_RUNTIME_CHECK_H_
