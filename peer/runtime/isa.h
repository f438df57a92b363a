// Loops compiled once for every instruction set, the best of which is chosen at run time.
//
// RunKernel(isa, body) calls `body`, compiled for the baseline of the platform, for AVX2 with F16C, or
// for AVX-512; the compiler vectorises each as it can. What the body calls must be inlinable; mark it
// STARLING_KERNEL_INLINE. Pointers that do not alias are worth a __restrict.
//
// All variants compute the same bits: every operation is an IEEE operation, sums are kept in lanes
// that are written out, and targets that hold kernels are compiled with -ffp-contract=off, so that no
// multiplication is fused with an addition on the one machine and not on the other.
//
// On other platforms than x86-64 there is the baseline alone.

#ifndef STARLING_PEER_RUNTIME_ISA_H_
#define STARLING_PEER_RUNTIME_ISA_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace starling {

enum class Isa { kBaseline, kAvx2, kAvx512 };

// What this processor can do, worst first; never empty.
std::vector<Isa> SupportedIsas();
// The last of them; the processor is asked once.
Isa BestIsa();
absl::string_view IsaName(Isa isa);

#define STARLING_KERNEL_INLINE inline __attribute__((always_inline))

template <typename Body>
__attribute__((flatten, noinline)) auto RunBaselineKernel(const Body& body) {
  return body();
}

#if defined(__x86_64__)
template <typename Body>
__attribute__((flatten, noinline, target("avx2,f16c"))) auto RunAvx2Kernel(const Body& body) {
  return body();
}
template <typename Body>
__attribute__((flatten, noinline, target("avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c"))) auto
RunAvx512Kernel(const Body& body) {
  return body();
}
#endif

// `isa` is one of SupportedIsas().
template <typename Body>
auto RunKernel(Isa isa, const Body& body) {
#if defined(__x86_64__)
  if (isa == Isa::kAvx512) return RunAvx512Kernel(body);
  if (isa == Isa::kAvx2) return RunAvx2Kernel(body);
#else
  (void)isa;
#endif
  return RunBaselineKernel(body);
}

template <typename Body>
auto RunKernel(const Body& body) {
  return RunKernel(BestIsa(), body);
}

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_ISA_H_
