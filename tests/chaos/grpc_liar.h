// A member of a real swarm that tells what it likes: written by hand on the bare protocol, so that nothing of ours
// puts right what it says. It answers pings, so that others believe it alive, contradicts rumours of its death, and makes no steps.
//
// Any thread; calls block. What it serves runs on threads of gRPC.

#ifndef STARLING_TESTS_CHAOS_GRPC_LIAR_H_
#define STARLING_TESTS_CHAOS_GRPC_LIAR_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "proto/peer.grpc.pb.h"
#include "tests/integration/daemon.h"

namespace starling {

class Liar final : public v1::PeerService::Service {
 public:
  // Changes an honest frame into a lie.
  using Spoil = std::function<void(v1::ShardFrame&)>;

  // Becomes a member of the swarm of the peer at `address`, whose model has so many parameters. `in_reply`:
  // what it does to the replies with which it answers exchanges.
  Liar(const std::string& address, uint64_t parameters, Spoil in_reply);
  ~Liar() override;

  std::string id() const;
  // Asks the peer at `address` for an exchange and returns its answer: a reply, or a refusal; a frame without a
  // header if there is none.
  v1::ShardFrame Ask(const std::string& address, const Spoil& spoil,
                     absl::Duration patience = kPatience);
  // Exchanges of others that it has answered.
  uint64_t answered() const { return answered_; }

  // v1.PeerService.
  grpc::Status Exchange(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<v1::ShardFrame, v1::ShardFrame>* stream) override;
  grpc::Status Control(grpc::ServerContext* context, const v1::ControlRequest* request,
                       v1::ControlResponse* response) override;

 private:
  v1::ControlRequest Request() const;
  v1::Member Self() const;
  void Contradict(const google::protobuf::RepeatedPtrField<v1::Member>& rumours);
  v1::ShardFrame Honest(v1::FrameKind kind, uint64_t exchange, uint32_t shard) const;

  const uint64_t parameters_;
  const Spoil in_reply_;
  mutable absl::Mutex mutex_;
  // Constant once it is a member, but for its refutations, which the mutex guards.
  v1::Member self_;
  uint64_t run_id_ = 0;
  uint64_t model_ = 0;
  uint64_t epoch_ = 0;
  uint64_t shard_elements_ = 0;
  std::unique_ptr<grpc::Server> server_;

  std::atomic<uint64_t> answered_{0};
  uint64_t next_exchange_ = 1;
};

// The floats of the payload, all of that value, with the hash that belongs to it.
void Fill(v1::ShardFrame& frame, float value);

}  // namespace starling

#endif  // STARLING_TESTS_CHAOS_GRPC_LIAR_H_
