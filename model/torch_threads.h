// LibTorch and the BLAS below it each bring a thread pool that takes all cores by default. Left
// alone, the pools fight: on two cores, two threads each train three times slower than one.

#ifndef STARLING_MODEL_TORCH_THREADS_H_
#define STARLING_MODEL_TORCH_THREADS_H_

namespace starling {

// Lets operations that the calling thread runs from now on use `threads` >= 1 threads. Cheap when
// nothing changes: call it before each use, since OpenMP keeps this number per thread. OpenBLAS, if
// it is the BLAS in use, has one number for the whole process; the last call wins. Operations never
// run side by side (one inter-op thread). Thread-safe.
void UseTorchThreads(int threads);

}  // namespace starling

#endif  // STARLING_MODEL_TORCH_THREADS_H_
