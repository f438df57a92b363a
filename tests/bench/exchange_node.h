// A peer without membership, made of the shipped parts: gRPC server and transport, TrainingActor (which
// serves, and makes steps only if told to), GossipActor with elastic_gossip, StateKeeper and Joiner. For
// measuring whole exchanges and state transfers.

#ifndef STARLING_TESTS_BENCH_EXCHANGE_NODE_H_
#define STARLING_TESTS_BENCH_EXCHANGE_NODE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "peer/gossip/codec_choice.h"

namespace starling {

// Parameters in a shard, as runs have by default.
inline constexpr size_t kShardElements = 262144;

// "request/reply", two codecs. INVALID_ARGUMENT as MakeCodecChoice.
absl::StatusOr<CodecChoice> ChoiceOf(const std::string& pair);

class ExchangeNode {
 public:
  // `number` tells nodes apart. `copies`: from the memory of nodes of this host, else everything goes through
  // the loopback. INVALID_ARGUMENT or UNAVAILABLE: no port.
  static absl::StatusOr<std::unique_ptr<ExchangeNode>> Start(uint64_t number, size_t elements,
                                                             CodecChoice codecs,
                                                             bool copies = true);
  virtual ~ExchangeNode() = default;

  virtual const std::string& address() const = 0;
  // Exchanges go to that node from now on.
  virtual void Connect(uint64_t number, const std::string& address) = 0;
  // Asks for one exchange of the whole model, waits until it is mixed and applied on both sides, and
  // returns how long that took. DEADLINE_EXCEEDED after 60 s.
  virtual absl::StatusOr<absl::Duration> Exchange() = 0;
  // From now on makes a step every `step_time`, which changes nothing.
  virtual void Train(absl::Duration step_time) = 0;
  // Made so far.
  virtual uint64_t steps() = 0;
  // Fetches parameters from the nodes of these numbers, as a newcomer does, and returns how long that
  // took. DEADLINE_EXCEEDED after 60 s, FAILED_PRECONDITION if they are of another size.
  virtual absl::StatusOr<absl::Duration> Join(const std::map<uint64_t, std::string>& donors) = 0;
  // Payload bytes sent so far.
  virtual uint64_t bytes_sent() = 0;
};

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_EXCHANGE_NODE_H_
