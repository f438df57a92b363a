// Kernels compiled once for every instruction set, the best of which is chosen at run time.
//
// A kernel is an ordinary loop over floats. STARLING_KERNEL compiles its body for the baseline of
// the platform, for AVX2 with F16C, and for AVX-512; the compiler vectorises each as it can. The
// three compute the same bits: lanes are written out where the order of additions matters, and the
// targets of this room are compiled with -ffp-contract=off, so that no multiplication is fused with
// an addition on the one machine and not on the other.
//
// On other platforms than x86-64 there is the baseline alone.

#ifndef STARLING_PEER_CODEC_ISA_H_
#define STARLING_PEER_CODEC_ISA_H_

#include <bit>
#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"

namespace starling {

static_assert(std::endian::native == std::endian::little,
              "payloads are little-endian and are moved as they lie in memory");

enum class Isa { kBaseline = 0, kAvx2 = 1, kAvx512 = 2 };

// What this processor can do, worst first; never empty.
std::vector<Isa> SupportedIsas();
// The last of them; the processor is asked once.
Isa BestIsa();
absl::string_view IsaName(Isa isa);

// The variants of one kernel. `F` is its function type.
template <typename F>
struct Kernel {
  F* variants[3];
  F* operator[](Isa isa) const { return variants[static_cast<size_t>(isa)]; }
};

// For bodies of kernels and what they call.
#define STARLING_KERNEL_INLINE inline __attribute__((always_inline))

// Defines `const Kernel<Result(Parameters...)> Name` from a function Name##Body that was defined
// with STARLING_KERNEL_INLINE. `parameters` and `arguments` come in parentheses.
#if defined(__x86_64__)
#define STARLING_KERNEL(result, Name, parameters, arguments)                                      \
  __attribute__((flatten)) result Name##Baseline parameters { return Name##Body arguments; }      \
  __attribute__((flatten, target("avx2,f16c"))) result Name##Avx2 parameters {                    \
    return Name##Body arguments;                                                                  \
  }                                                                                               \
  __attribute__((flatten, target("avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c"))) result         \
      Name##Avx512 parameters {                                                                   \
    return Name##Body arguments;                                                                  \
  }                                                                                               \
  constexpr Kernel<result parameters> Name = {{Name##Baseline, Name##Avx2, Name##Avx512}}
#else
#define STARLING_KERNEL(result, Name, parameters, arguments)                  \
  result Name##Baseline parameters { return Name##Body arguments; }           \
  constexpr Kernel<result parameters> Name = {{Name##Baseline, Name##Baseline, Name##Baseline}}
#endif

}  // namespace starling

#endif  // STARLING_PEER_CODEC_ISA_H_
