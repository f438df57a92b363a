// One end of exchanges, made of the shipped parts: gRPC server and transport, TrainingActor (which
// serves and makes no steps), GossipActor with elastic_gossip. For measuring whole exchanges.

#ifndef STARLING_TESTS_BENCH_EXCHANGE_NODE_H_
#define STARLING_TESTS_BENCH_EXCHANGE_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/gossip/codec_choice.h"

namespace starling {

class ExchangeNode {
 public:
  // `number` tells nodes apart. INVALID_ARGUMENT or UNAVAILABLE: no port.
  static absl::StatusOr<std::unique_ptr<ExchangeNode>> Start(uint64_t number, size_t elements,
                                                             CodecChoice codecs);
  virtual ~ExchangeNode() = default;

  virtual const std::string& address() const = 0;
  // Exchanges go to that node from now on.
  virtual void Connect(uint64_t number, const std::string& address) = 0;
  // Asks for one exchange of the whole model, waits until it is mixed and applied on both sides, and
  // returns how long that took. DEADLINE_EXCEEDED after 60 s.
  virtual absl::StatusOr<absl::Duration> Exchange() = 0;
  // Payload bytes sent so far.
  virtual uint64_t bytes_sent() = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_EXCHANGE_NODE_H_
