// The arithmetic of an exchange and nothing else: two threads of one process that encode, answer and apply the shards
// of a model. Nothing is sent, copied or looked at, nobody waits for a message, and each hands over to the other
// without leaving its core. No exchange between two processes can be quicker than that with the same kernels, so
// what an exchange takes beyond it is the cost of everything else.

#ifndef STARLING_TESTS_BENCH_MIXING_ALONE_H_
#define STARLING_TESTS_BENCH_MIXING_ALONE_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "peer/gossip/codec_choice.h"

namespace starling {

class MixingAlone {
 public:
  MixingAlone(size_t elements, CodecChoice codecs);
  ~MixingAlone();

  // With elastic_gossip's rule, in shards of 1 MiB, once through the model.
  absl::Duration Exchange();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_MIXING_ALONE_H_
